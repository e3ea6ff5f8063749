//! Rust text without what stands in comments, strings and characters, so that a check finds code only. Parses no syntax.

use std::iter::Peekable;
use std::str::Chars;

/// The lines of a file, with comments gone and literals empty. Line numbers and indentation stay.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '/' if rest.peek() == Some(&'/') => line_comment(&mut rest),
            '/' if rest.peek() == Some(&'*') => block_comment(&mut rest, &mut bare),
            '"' => string(&mut rest, &mut bare),
            'r' if opens_raw_string(&rest) && !ends_in_word(&bare) => {
                raw_string(&mut rest, &mut bare);
            }
            '\'' => character_or_lifetime(&mut rest, &mut bare),
            other => bare.push(other),
        }
    }
    bare.lines().map(str::to_owned).collect()
}

type Rest<'a> = Peekable<Chars<'a>>;

fn line_comment(rest: &mut Rest<'_>) {
    while rest.next_if(|character| *character != '\n').is_some() {}
}

fn block_comment(rest: &mut Rest<'_>, bare: &mut String) {
    let mut depth = 0_usize;
    let mut before = '/';
    for character in rest.by_ref() {
        keep_line_break(character, bare);
        depth = match (before, character) {
            ('/', '*') => depth + 1,
            ('*', '/') => depth - 1,
            _ => depth,
        };
        if depth == 0 {
            return;
        }
        before = character;
    }
}

fn string(rest: &mut Rest<'_>, bare: &mut String) {
    bare.push('"');
    while let Some(character) = rest.next() {
        keep_line_break(character, bare);
        match character {
            '\\' => rest
                .next()
                .into_iter()
                .for_each(|escaped| keep_line_break(escaped, bare)),
            '"' => return bare.push('"'),
            _ => {}
        }
    }
}

/// Whether what follows an `r` is `"` or `#…#"`; `r#type` is a name.
fn opens_raw_string(rest: &Rest<'_>) -> bool {
    let mut ahead = rest.clone().skip_while(|character| *character == '#');
    ahead.next() == Some('"')
}

fn ends_in_word(bare: &str) -> bool {
    // `b` and `c` are prefixes of raw strings themselves; a name that ends in them followed by `r"` is no Rust.
    let last = bare.chars().next_back();
    last.is_some_and(|character| character.is_alphanumeric() && !matches!(character, 'b' | 'c'))
}

fn raw_string(rest: &mut Rest<'_>, bare: &mut String) {
    bare.push('"');
    let mut hashes = 0;
    while rest.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    rest.next();
    while let Some(character) = rest.next() {
        keep_line_break(character, bare);
        let closes = character == '"'
            && rest
                .clone()
                .take(hashes)
                .filter(|hash| *hash == '#')
                .count()
                == hashes;
        if closes {
            rest.by_ref().take(hashes).for_each(drop);
            return bare.push('"');
        }
    }
}

/// `'x'` and `'\n'` are characters, `'static` is not.
fn character_or_lifetime(rest: &mut Rest<'_>, bare: &mut String) {
    bare.push('\'');
    let mut ahead = rest.clone();
    let length = match ahead.next() {
        Some('\\') => ahead
            .skip(1)
            .position(|character| character == '\'')
            .map(|at| at + 3),
        Some(_) if ahead.next() == Some('\'') => Some(2),
        _ => None,
    };
    if let Some(length) = length {
        rest.by_ref().take(length).for_each(drop);
        bare.push('\'');
    }
}

fn keep_line_break(character: char, bare: &mut String) {
    if character == '\n' {
        bare.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(lines(text), expected, "{text}");
    }

    #[test]
    fn comments_are_gone() {
        check("a(); // b()\n/// c()\n    d();", &["a(); ", "", "    d();"]);
        check("a /* b /* c */\n d */ e", &["a ", " e"]);
    }

    #[test]
    fn literals_are_empty_over_several_lines_too() {
        check(r#"a("b // c", d) + "\"e\\" + f"#, &[r#"a("", d) + "" + f"#]);
        check("a(\"b\\\n  c\nd\", e)", &["a(\"", "", "\", e)"]);
        check(
            "a(r#\"b \"c\" \n d\"#, br\"\\\", e)",
            &["a(\"", "\", b\"\", e)"],
        );
    }

    #[test]
    fn characters_are_not_the_begin_of_strings() {
        check(
            r#"a('"', b'\'', '\u{2f}', '\\') + "b""#,
            &[r#"a('', b'', '', '') + """#],
        );
        check(
            "fn a<'a>(b: &'a str, c: &'static str)",
            &["fn a<'a>(b: &'a str, c: &'static str)"],
        );
        check("let r#type = for_r;", &["let r#type = for_r;"]);
    }
}
