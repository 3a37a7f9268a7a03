//! The parameters of a call, decoded.

use std::fmt;

use crate::encoding::is_reserved;

/// The decoded parameters of a query and a form, sorted by name, in one buffer.
///
/// Clients encode in different ways, so signatures cover these decoded values, encoded anew.
#[derive(Clone, Default)]
pub struct Parameters {
    /// Each as `name=value&`, decoded.
    text: String,
    /// By name in byte order, the query's before the form's.
    spans: Vec<Span>,
}

/// The capacity reserved for parameters: few calls have more.
const SPANS_USUAL: usize = 32;

/// The part of the request that a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Query,
    Form,
}

/// A parameter's position in the buffer. The buffer has the query before the form, each in the
/// order sent.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// See [`beginning`]; set when the parameters are sorted.
    beginning: u64,
    start: u32,
    name_end: u32,
    end: u32,
    source: Source,
}

impl Span {
    fn name(self, text: &str) -> &str {
        &text[self.start as usize..self.name_end as usize]
    }

    fn value(self, text: &str) -> &str {
        &text[self.name_end as usize + "=".len()..self.end as usize]
    }
}

/// The end of the buffer. No transport carries a request of four gigabytes.
fn end_of(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Leaves the values out: signatures and security tokens are among them.
impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.spans.iter().map(|span| span.name(&self.text));
        formatter.debug_set().entries(names).finish()
    }
}

impl Parameters {
    /// Reads a query and a form. The form's value wins over the query's; within one of them the
    /// first value wins (decision `twice`).
    #[must_use]
    pub fn read(query: &[u8], form: &[u8]) -> Self {
        let mut parameters = Self::default();
        parameters.decode(query, Source::Query, usize::MAX);
        parameters.decode(form, Source::Form, usize::MAX);
        parameters.sort();
        parameters
    }

    /// The value of a parameter; the form's if query and form have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        // A linear search is fastest: parameters are few, and most differ in their beginnings.
        let beginning = beginning(name.as_bytes());
        let is_named = |span: &&Span| span.beginning == beginning && span.name(&self.text) == name;
        self.spans.iter().rfind(is_named).map(|span| span.value(&self.text))
    }

    /// All parameters, by name in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let same_name = |one: &Span, other: &Span| one.name(&self.text) == other.name(&self.text);
        self.spans.chunk_by(same_name).filter_map(|same| same.last()).map(|span| self.pair(*span))
    }

    /// The parameters of the query, by name in byte order.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().filter(|span| span.source == Source::Query).map(|span| self.pair(*span))
    }

    fn pair(&self, span: Span) -> (&str, &str) {
        (span.name(&self.text), span.value(&self.text))
    }

    /// Adds at most `pairs_max` pairs of a query or a form. [`Self::sort`] must be called before a
    /// parameter is looked up.
    ///
    /// `+` and `%20` decode to a space, a `%` without two hexadecimal digits to itself. Invalid
    /// UTF-8 is replaced.
    pub(crate) fn decode(&mut self, encoded: &[u8], source: Source, pairs_max: usize) {
        if encoded.is_empty() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.reserve(encoded.len() + "=&".len());
        self.spans.reserve(SPANS_USUAL);
        let spans_max = self.spans.len().saturating_add(pairs_max);
        let mut rest = encoded;
        let (mut start, mut name_end) = (end_of(&bytes), None);
        while self.spans.len() < spans_max {
            // The next run of unreserved bytes, at once.
            let plain = rest.iter().position(|byte| is_reserved(*byte)).unwrap_or(rest.len());
            bytes.extend_from_slice(&rest[..plain]);
            let special = rest.get(plain).copied();
            rest = rest.get(plain + 1..).unwrap_or_default();
            match special {
                Some(b'=') if name_end.is_none() => {
                    name_end = Some(end_of(&bytes));
                    bytes.push(b'=');
                }
                Some(b'+') => bytes.push(b' '),
                Some(b'%') => match hexadecimal(rest) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &rest[2..];
                    }
                    None => bytes.push(b'%'),
                },
                Some(b'&') | None => {
                    // Two adjacent `&` have no pair between them.
                    if name_end.is_some() || end_of(&bytes) > start {
                        let name_end = name_end.unwrap_or_else(|| {
                            bytes.push(b'=');
                            end_of(&bytes) - 1
                        });
                        let end = end_of(&bytes);
                        self.spans.push(Span { source, start, name_end, end, beginning: 0 });
                        bytes.push(b'&');
                    }
                    if special.is_none() {
                        break;
                    }
                    (start, name_end) = (end_of(&bytes), None);
                }
                Some(other) => bytes.push(other),
            }
        }
        // Separators are ASCII, so each name and value is UTF-8 if the buffer is.
        self.text =
            String::from_utf8(bytes).unwrap_or_else(|error| self.replaced(error.as_bytes()));
    }

    /// The buffer of `bytes` with the invalid UTF-8 of names and values replaced.
    fn replaced(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len() * 3);
        for Span { start, name_end, end, .. } in &mut self.spans {
            let name = *start as usize..*name_end as usize;
            let value = *name_end as usize + "=".len()..*end as usize;
            *start = end_of(text.as_bytes());
            text.push_str(&String::from_utf8_lossy(&bytes[name]));
            *name_end = end_of(text.as_bytes());
            text.push('=');
            text.push_str(&String::from_utf8_lossy(&bytes[value]));
            *end = end_of(text.as_bytes());
            text.push('&');
        }
        text
    }

    /// The lengths of all decoded names and values, in the order sent.
    pub(crate) fn bytes(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        self.spans.iter().map(|span| (span.name(&self.text).len(), span.value(&self.text).len()))
    }

    /// The names, in the order of [`Self::bytes`].
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().map(|span| span.name(&self.text))
    }

    /// Keeps only the parameters of these names.
    pub(crate) fn retain(&mut self, names: &[&str]) {
        self.spans.retain(|span| names.contains(&span.name(&self.text)));
    }

    /// Sorts the parameters and drops repeated ones of the same source. Returns the name of the
    /// first repeated one with a different value.
    pub(crate) fn sort(&mut self) -> Option<&str> {
        let Self { text, spans } = self;
        let name = |span: &Span| span.name(text).as_bytes();
        for span in &mut *spans {
            span.beginning = beginning(name(span));
        }
        spans.sort_unstable_by(|one, other| {
            let names =
                one.beginning.cmp(&other.beginning).then_with(|| name(one).cmp(name(other)));
            names.then(one.start.cmp(&other.start))
        });
        let mut repeated: Option<Span> = None;
        spans.dedup_by(|later, first| {
            let repeats = later.source == first.source && name(later) == name(first);
            if repeats
                && later.value(text) != first.value(text)
                && repeated.is_none_or(|repeated| later.start < repeated.start)
            {
                repeated = Some(*later);
            }
            repeats
        });
        repeated.map(|span| span.name(text))
    }
}

/// The first eight bytes of a name as a number that orders as they do. Most names differ in them,
/// and numbers compare faster than strings.
fn beginning(name: &[u8]) -> u64 {
    let bytes = name.first_chunk().copied().unwrap_or_else(|| {
        std::array::from_fn(|position| name.get(position).copied().unwrap_or_default())
    });
    u64::from_be_bytes(bytes)
}

/// The byte of the two hexadecimal digits at the beginning of `text`.
fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digit = |position: usize| char::from(*text.get(position)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::collections::btree_map::Entry;

    use http::Method;
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{Canonical, percent_encode};
    use crate::signature::v1;

    /// Random sequences of the pieces that a decoder treats differently.
    fn encoded() -> impl Strategy<Value = Vec<u8>> {
        let pieces = "a A b Signature & & && = = + * ~ % %4 %zz %41 %26 %2B %00 %C3 %a9 é";
        let mut pieces: Vec<&[u8]> = pieces.split(' ').map(str::as_bytes).collect();
        pieces.extend([b" ".as_slice(), b"\xc3"]);
        vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
    }

    /// The pairs of one source by name, and the first name that has two values.
    fn merged(encoded: &[u8]) -> (BTreeMap<String, String>, Option<String>) {
        let (mut merged, mut repeated) = (BTreeMap::<String, String>::new(), None);
        for (name, value) in form_urlencoded::parse(encoded).into_owned() {
            match merged.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(earlier) if *earlier.get() != value => {
                    repeated.get_or_insert_with(|| earlier.key().clone());
                }
                Entry::Occupied(_) => {}
            }
        }
        (merged, repeated)
    }

    fn owned<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    proptest! {
        #[test]
        fn parameters_are_those_of_a_browser_and_the_forms_value_wins(
            query in encoded(),
            form in encoded(),
        ) {
            let mut parameters = Parameters::default();
            parameters.decode(&query, Source::Query, usize::MAX);
            parameters.decode(&form, Source::Form, usize::MAX);
            let sent = form_urlencoded::parse(&query).chain(form_urlencoded::parse(&form));
            let bytes: Vec<_> = sent.map(|(name, value)| (name.len(), value.len())).collect();
            prop_assert_eq!(parameters.bytes().collect::<Vec<_>>(), bytes);

            let (of_query, repeated) = merged(&query);
            let (of_form, repeated_in_form) = merged(&form);
            let first = parameters.sort().map(str::to_owned);
            prop_assert_eq!(first, repeated.or(repeated_in_form));
            prop_assert_eq!(owned(parameters.query()), Vec::from_iter(of_query.clone()));
            let mut all = of_query;
            all.extend(of_form);
            prop_assert_eq!(owned(parameters.iter()), Vec::from_iter(all.clone()));
            for name in ["", "a", "A", "b", "c", "aa", "Signature", "é"] {
                prop_assert_eq!(parameters.get(name), all.get(name).map(String::as_str));
            }
        }

        #[test]
        fn signed_parameters_are_encoded_as_in_rfc_3986(query in encoded()) {
            const RESERVED: &AsciiSet =
                &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
            let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
            let parameters = Parameters::read(&query, b"");
            let canonical = |signed: &dyn Fn(&str) -> bool| {
                let pairs = parameters.iter().filter(|(name, _)| signed(name));
                let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
                pairs.collect::<Vec<_>>().join("&")
            };

            let mut once = String::new();
            Canonical::ONCE.write_pairs(&mut once, parameters.iter());
            prop_assert_eq!(once, canonical(&|_| true));
            let twice = v1::string_to_sign(&Method::GET, parameters.iter());
            let expected = encode(&canonical(&|name| name != "Signature"));
            prop_assert_eq!(twice, format!("GET&%2F&{expected}"));
            for (name, _) in parameters.iter() {
                prop_assert_eq!(&*percent_encode(name), encode(name));
            }
        }
    }

    #[test]
    fn decoding_stops_at_the_given_number_of_pairs() {
        for (sent, read) in [(1, 1), (200, 200), (201, 201), (202, 201), (1000, 201)] {
            let mut parameters = Parameters::default();
            parameters.decode(b"Action=x&&Format", Source::Query, usize::MAX);
            parameters.decode("n=1&&".repeat(sent).as_bytes(), Source::Form, 201);
            assert_eq!(parameters.bytes().len(), 2 + read, "{sent}");
        }
    }

    #[test]
    fn debug_output_shows_names_and_no_values() {
        let shown = format!("{:?}", Parameters::read(b"Signature=secret", b"Other=secret"));
        assert_eq!(shown, r#"{"Other", "Signature"}"#);
    }
}
