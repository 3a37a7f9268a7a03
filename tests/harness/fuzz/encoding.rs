//! Other ways to write a query or a form, which say the same.

use std::fmt::Write as _;

use super::plan::Encoding;

/// Pairs that are encoded as the vendor's pages say, written in another way that says the same.
pub(super) fn written(pairs: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Plain => pairs.to_owned(),
        Encoding::Plus => pairs.replace("%20", "+"),
        Encoding::LowerCase => {
            let mut text = String::new();
            let mut left = 0;
            for c in pairs.chars() {
                text.push(if left > 0 { c.to_ascii_lowercase() } else { c });
                left = if c == '%' { 2 } else { u8::saturating_sub(left, 1) };
            }
            text
        }
        Encoding::Everything => {
            let mut text = String::new();
            let mut left = 0;
            for c in pairs.chars() {
                if c == '%' {
                    left = 3;
                }
                if left > 0 || c == '=' || c == '&' {
                    text.push(c);
                } else {
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, "%{:02X}", u32::from(c));
                }
                left = u8::saturating_sub(left, 1);
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_pairs_says_the_same() {
        let pairs = "a%C3%A9=b%20c-1&%25=%2B&=";
        let read =
            |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        for (encoding, expected) in [
            (Encoding::Plain, pairs),
            (Encoding::Plus, "a%C3%A9=b+c-1&%25=%2B&="),
            (Encoding::LowerCase, "a%c3%a9=b%20c-1&%25=%2b&="),
            (Encoding::Everything, "%61%C3%A9=%62%20%63%2D%31&%25=%2B&="),
        ] {
            assert_eq!(written(pairs, encoding), expected);
            assert_eq!(read(expected), read(pairs));
        }
    }
}
