//! Frames as bytes: what a client sends, and what has to come back. Independent of every server's codec.

/// A client's frame, masked with a key that changes every byte.
pub(super) fn masked(payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = header(payload.len(), 0x80);
    frame.extend_from_slice(&key);
    let bytes = payload.iter().enumerate();
    frame.extend(bytes.map(|(at, byte)| byte ^ key[at % 4]));
    frame
}

/// The same message as a server sends it.
pub(super) fn plain(payload: &[u8]) -> Vec<u8> {
    let mut frame = header(payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

fn header(length: usize, mask: u8) -> Vec<u8> {
    let mut header = vec![0x82];
    match length {
        0..126 => header.push(mask | length as u8),
        126..65_536 => {
            header.push(mask | 126);
            header.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    header
}

/// A payload that is no repetition of one byte.
pub(super) fn payload(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 % 251) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_their_shortest_form() {
        assert_eq!(plain(&[5; 125])[..3], [0x82, 125, 5]);
        assert_eq!(plain(&[5; 126])[..5], [0x82, 126, 0, 126, 5]);
        assert_eq!(plain(&[5; 65_536])[..4], [0x82, 127, 0, 0]);
        assert_eq!(
            masked(b"a"),
            [0x82, 0x81, 0x37, 0xfa, 0x21, 0x3d, b'a' ^ 0x37]
        );
    }
}
