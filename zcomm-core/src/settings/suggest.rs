//! Which known name somebody probably meant. Decides nothing.

/// The known path nearest to an unknown one, if it is near enough to be meant.
pub(super) fn path<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let limit = (written.len() / 3).clamp(1, 4);
    let near = known
        .iter()
        .map(|name| (distance(&written, &name.to_ascii_lowercase()), *name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance);
    near.map(|(_, name)| name)
        .or_else(|| only_one_called(&written, &known))
}

/// The path that a word without a section is the last part of, if there is but one.
fn only_one_called<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let is_meant = |name: &&&str| name.rsplit('.').next() == Some(written);
    let mut found = known.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// The known variable that a foreign one is a slip of.
///
/// Variables belong to everybody, so this is far stricter: `REDIS_HOST` is no slip of `REDIS_PORT`.
/// Each word may be off by one letter, or by two if it is long.
pub(super) fn variable<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let upper = written.to_ascii_uppercase();
    known
        .into_iter()
        .find(|name| is_slip(&upper, name) && *name != written)
}

fn is_slip(written: &str, known: &str) -> bool {
    let written_words: Vec<&str> = written.split('_').collect();
    let known_words: Vec<&str> = known.split('_').collect();
    if written_words.len() != known_words.len() {
        return distance(written, known) <= 1;
    }
    written_words.iter().zip(&known_words).all(|(w, k)| {
        let limit = if k.len() >= 7 { 2 } else { 1 };
        // Short words that differ at all are different words: `DB_URL` and `DB_URI`.
        distance(w, k) <= if k.len() <= 3 { 0 } else { limit }
    })
}

/// Optimal string alignment: letters added, lost, changed, or two neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_letters_and_swaps() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("port", "port"), 0);
        assert_eq!(distance("prot", "port"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_neighbour_of_a_variable_is_not_a_slip() {
        let known = ["REDIS_PORT", "POSTGRESQL_PORT", "WEBSOCKET_TOKEN"];

        for foreign in ["REDIS_HOST", "POSTGRESQL_HOST", "REDIS_PORTS_ALL", "PATH"] {
            assert_eq!(variable(foreign, known), None, "{foreign}");
        }
        assert_eq!(variable("REDIS_PROT", known), Some("REDIS_PORT"));
        assert_eq!(variable("redis_port", known), Some("REDIS_PORT"));
        assert_eq!(variable("REDISPORT", known), Some("REDIS_PORT"));
        assert_eq!(variable("WEBSOKET_TOKEN", known), Some("WEBSOCKET_TOKEN"));
    }
}
