//! Finding line ends in a block.

use memchr::{memchr_iter, memrchr};

/// What stands at the front of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// So many bytes are so many whole lines, none longer than the limit.
    Lines { len: usize, lines: u32 },
    /// The first line is longer than the limit; with its line feed it takes so many bytes.
    TooLong { len: usize },
    /// No line end in sight.
    Open,
}

/// Frames a block that begins at the start of a line. A line's length does not count its line feed.
pub(crate) fn front(block: &[u8], max_line_bytes: usize) -> Front {
    let Some(last) = memrchr(b'\n', block) else {
        return Front::Open;
    };
    let whole = block.get(..=last).unwrap_or(block);
    if whole.len() <= max_line_bytes {
        // counting alone is several times as fast as finding each
        return Front::Lines { len: whole.len(), lines: memchr_iter(b'\n', whole).count() as u32 };
    }
    let (mut start, mut lines) = (0, 0);
    for end in memchr_iter(b'\n', whole) {
        if end - start > max_line_bytes {
            let too_long = Front::TooLong { len: end + 1 };
            return if lines == 0 { too_long } else { Front::Lines { len: start, lines } };
        }
        start = end + 1;
        lines += 1;
    }
    Front::Lines { len: start, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_taken_and_the_rest_is_left() {
        assert_eq!(front(b"a\nbc\n\nrest", 10), Front::Lines { len: 6, lines: 3 });
        assert_eq!(front(b"no end", 10), Front::Open);
        assert_eq!(front(b"", 10), Front::Open);
        assert_eq!(front(b"\n", 10), Front::Lines { len: 1, lines: 1 });
    }

    #[test]
    fn lines_before_a_long_one_come_first() {
        assert_eq!(front(b"ab\n12345\ncd\n", 4), Front::Lines { len: 3, lines: 1 });
        assert_eq!(front(b"12345\ncd\n", 4), Front::TooLong { len: 6 });
        assert_eq!(front(b"1234\ncd\n", 4), Front::Lines { len: 8, lines: 2 });
        assert_eq!(front(b"1234\n12345", 4), Front::Lines { len: 5, lines: 1 });
    }
}
