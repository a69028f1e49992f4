//! A group member's assignment, as consumers of every language encode it for each other:
//! `version i16, [topic string, [partition i32]], user data`; strings have an i16 length, arrays an i32 count.

/// The partitions of each topic; `None` when the bytes are no such assignment.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<(String, Vec<i32>)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let _version = take::<2>(&mut bytes)?;
    let topics = count(&mut bytes)?;
    let mut assignment = Vec::new();
    for _ in 0..topics {
        let length = usize::try_from(i16::from_be_bytes(take(&mut bytes)?)).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let partitions = count(&mut bytes)?;
        let mut numbers = Vec::new();
        for _ in 0..partitions {
            numbers.push(i32::from_be_bytes(take(&mut bytes)?));
        }
        assignment.push((String::from_utf8(name.to_vec()).ok()?, numbers));
    }
    Some(assignment)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

/// An array's count. It is not trusted: what it announces is only read while bytes are left.
fn count(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(i32::from_be_bytes(take(bytes)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `nginx_log: 0, 3` and no user data, as librdkafka writes it.
    const BYTES: &[u8] = b"\0\0\0\0\0\x01\0\x09nginx_log\0\0\0\x02\0\0\0\0\0\0\0\x03\xff\xff\xff\xff";

    #[test]
    fn an_assignment_is_read() {
        assert_eq!(decode(BYTES), Some(vec![("nginx_log".to_owned(), vec![0, 3])]));
    }

    #[test]
    fn a_member_without_an_assignment_has_none() {
        assert_eq!(decode(b""), Some(Vec::new()));
        assert_eq!(decode(b"\0\0\0\0\0\0"), Some(Vec::new()));
    }

    #[test]
    fn cut_off_and_hostile_bytes_are_refused_without_being_believed() {
        for length in 1..BYTES.len() - 4 {
            assert_eq!(decode(&BYTES[..length]), None, "{length}");
        }
        assert_eq!(decode(b"\0\0\x7f\xff\xff\xff"), None);
        assert_eq!(decode(b"\0\0\xff\xff\xff\xff"), None);
        assert_eq!(decode(b"\0\0\0\0\0\x01\xff\xff"), None);
        assert_eq!(decode(b"\0\0\0\0\0\x01\0\x01a\x7f\xff\xff\xff"), None);
        assert_eq!(decode(b"\0\0\0\0\0\x01\0\x01\xff\0\0\0\0"), None);
    }
}
