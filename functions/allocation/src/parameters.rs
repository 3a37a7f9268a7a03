//! Readers of a call's parameters, shared by all operations.

use std::fmt;

use crate::error::{self, ErrorRow, Refusal};
use crate::region::Region;

/// Looks up a parameter by its documented name; the value may be empty.
pub type LookUp<'p> = dyn Fn(&str) -> Option<&'p str> + Send + Sync + 'p;

/// The parameters of a call; they borrow the request's buffer.
#[derive(Clone, Copy)]
pub struct Parameters<'p>(&'p LookUp<'p>);

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parameters")
    }
}

/// The longest client token, in characters (decision `token`).
const CLIENT_TOKEN_CHARACTERS_MAX: usize = 64;

/// The most tags in a call (decision `tags`).
pub const TAGS_MAX: usize = 20;

/// The largest page of a list (decision `page-size`).
pub const PAGE_SIZE_MAX: u32 = 100;

/// A page of a list: "`PageNumber` default 1", "`PageSize` default 10".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// From 1 to [`PAGE_SIZE_MAX`].
    pub size: u32,
}

impl Page {
    /// Whether the page has the entry at this position of the whole list, counted from 0.
    #[must_use]
    pub const fn shows(self, position: usize) -> bool {
        position / self.size as usize + 1 == self.number as usize
    }
}

/// A tag in a call's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'p> {
    /// Not empty.
    pub key: &'p str,
    /// `None` matches any value.
    pub value: Option<&'p str>,
}

impl<'p> Parameters<'p> {
    /// The parameters that `look_up` returns.
    #[must_use]
    pub fn new(look_up: &'p LookUp<'p>) -> Self {
        Self(look_up)
    }

    /// A parameter. An empty value counts as absent (decisions `missing` and `empty-optional`).
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&'p str> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// A required parameter.
    ///
    /// # Errors
    ///
    /// `missing`: the parameter is absent or empty.
    pub fn required(&self, name: &str, missing: &'static ErrorRow) -> Result<&'p str, Refusal> {
        self.given(name).ok_or_else(|| missing.into())
    }

    /// `RegionId`, which every operation requires.
    ///
    /// # Errors
    ///
    /// The parameter is absent or not one of the vendor's regions (decision `region`).
    pub fn region(&self) -> Result<Region, Refusal> {
        let region_id = self.required("RegionId", &error::MISSING_REGION_ID)?;
        Region::find(region_id).ok_or_else(|| (&error::INVALID_REGION_ID_NOT_FOUND).into())
    }

    /// A boolean parameter, in any letter case: the vendor's clients send True, False, true and
    /// false (decision `boolean-form`).
    ///
    /// # Errors
    ///
    /// `invalid`: the value is neither true nor false.
    pub fn boolean(&self, name: &str, invalid: &'static ErrorRow) -> Result<Option<bool>, Refusal> {
        match self.given(name) {
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(invalid.into()),
            None => Ok(None),
        }
    }

    /// `ClientToken`.
    ///
    /// # Errors
    ///
    /// The token is not ASCII or too long (decision `token`).
    pub fn client_token(&self) -> Result<Option<&'p str>, Refusal> {
        match self.given("ClientToken") {
            Some(token) if !is_client_token(token) => {
                Err((&error::INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED).into())
            }
            token => Ok(token),
        }
    }

    /// `DryRun`; false by default.
    ///
    /// # Errors
    ///
    /// The value is neither true nor false.
    pub fn dry_run(&self) -> Result<bool, Refusal> {
        Ok(self.boolean("DryRun", &error::INVALID_DRY_RUN)?.unwrap_or(false))
    }

    /// `PageNumber` and `PageSize`. A larger size than [`PAGE_SIZE_MAX`] is reduced to it (decision
    /// `page-size`).
    ///
    /// # Errors
    ///
    /// One of them is 0 or not a whole number, or the page number exceeds the 32 bits that it has
    /// in the answer.
    pub fn page(&self) -> Result<Page, Refusal> {
        let read = |name: &str, default: u64, invalid: &'static ErrorRow| {
            let number = self.given(name).map_or(Some(default), whole_number);
            number.filter(|number| *number > 0).ok_or_else(|| Refusal::from(invalid))
        };
        let number = i32::try_from(read("PageNumber", 1, &error::INVALID_PAGE_NUMBER)?)
            .map_err(|_| &error::INVALID_PAGE_NUMBER)?
            .unsigned_abs();
        let size = read("PageSize", 10, &error::INVALID_PAGE_SIZE)?;
        Ok(Page { number, size: u32::try_from(size).unwrap_or(u32::MAX).min(PAGE_SIZE_MAX) })
    }

    /// Ids separated by commas. Spaces around ids and empty ids are ignored.
    #[must_use]
    pub fn ids(&self, name: &str) -> Option<Vec<&'p str>> {
        let ids = self.given(name)?.split(',').map(|id| id.trim_matches(' '));
        Some(ids.filter(|id| !id.is_empty()).collect())
    }

    /// The tags `Tag.1.Key`, `Tag.1.Value`, … that have a key (decision `tags`). `name` is `Tag` or
    /// the operation's spelling of it.
    #[must_use]
    pub fn tags(&self, name: &str) -> Vec<Tag<'p>> {
        let tag = |number: usize| {
            let key = self.given(&format!("{name}.{number}.Key"))?;
            Some(Tag { key, value: self.given(&format!("{name}.{number}.Value")) })
        };
        (1..=TAGS_MAX).filter_map(tag).collect()
    }
}

/// Whether `token` is a valid client token (decision `token`).
#[must_use]
pub fn is_client_token(token: &str) -> bool {
    token.is_ascii() && (1..=CLIENT_TOKEN_CHARACTERS_MAX).contains(&token.len())
}

/// Reads a whole number in decimal digits, without sign, space or leading zero (decision
/// `bandwidth-form`). A number that exceeds 64 bits is read as [`u64::MAX`].
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    let is_in_form = text == "0"
        || !text.is_empty()
            && !text.starts_with('0')
            && text.bytes().all(|byte| byte.is_ascii_digit());
    is_in_form.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of `reader` for a call with these parameters.
    fn read<T>(given: &[(&str, &'static str)], reader: impl Fn(Parameters<'static>) -> T) -> T {
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let look_up: &'static LookUp<'static> = Box::leak(Box::new(move |name: &str| {
            given.iter().find_map(|(known, value)| (known == name).then_some(*value))
        }));
        reader(Parameters::new(look_up))
    }

    fn code<T>(result: Result<T, Refusal>) -> Result<T, &'static str> {
        result.map_err(|refusal| refusal.row.code)
    }

    #[test]
    fn a_whole_number_has_decimal_digits_only() {
        for (text, number) in
            [("0", 0), ("1", 1), ("2000", 2000), ("18446744073709551615", u64::MAX)]
        {
            assert_eq!(whole_number(text), Some(number), "{text}");
        }
        assert_eq!(whole_number("18446744073709551616"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "1e2", "0x10", "２００", "null"]
        {
            assert_eq!(whole_number(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_first_page_of_ten_is_the_default_and_a_hundred_the_largest() {
        let page = |number: &'static str, size: &'static str| {
            let given = [("PageNumber", number), ("PageSize", size)];
            code(read(&given, |parameters| parameters.page())).map(|page| (page.number, page.size))
        };
        assert_eq!(page("", ""), Ok((1, 10)));
        assert_eq!(page("2", "99"), Ok((2, 99)));
        assert_eq!(page("2147483647", "100"), Ok((2_147_483_647, 100)));
        for text in ["0", "-1", "1.5", "x"] {
            assert_eq!(page(text, "0"), Err("InvalidPageNumber"), "{text}");
            assert_eq!(page("1", text), Err("InvalidPageSize"), "{text}");
        }
        for text in ["2147483648", "4294967297", "99999999999999999999"] {
            assert_eq!(page(text, "1"), Err("InvalidPageNumber"), "{text}");
            assert_eq!(page("1", text), Ok((1, 100)), "{text}");
        }
        assert_eq!(page("1", "101"), Ok((1, 100)));
    }

    #[test]
    fn a_page_shows_as_many_entries_as_its_size_after_those_of_the_pages_before() {
        let shown = |number, size| {
            (0..25)
                .filter(move |position| Page { number, size }.shows(*position))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(1, 3), [0, 1, 2]);
        assert_eq!(shown(2, 10), (10..20).collect::<Vec<_>>());
        assert_eq!(shown(3, 10), (20..25).collect::<Vec<_>>());
        assert_eq!(shown(4, 10), [0; 0]);
        assert_eq!(shown(25, 1), [24]);
        assert_eq!(shown(u32::MAX, 100), [0; 0]);
    }

    #[test]
    fn a_boolean_is_true_or_false_in_any_letter_case() {
        let dry_run = |value| code(read(&[("DryRun", value)], |parameters| parameters.dry_run()));
        for (value, meant) in [("true", true), ("True", true), ("FALSE", false), ("", false)] {
            assert_eq!(dry_run(value), Ok(meant), "{value:?}");
        }
        for value in ["1", "0", "yes", "maybe", " true", "truе"] {
            assert_eq!(dry_run(value), Err("InvalidDryRun"), "{value:?}");
        }
    }

    #[test]
    fn a_token_has_64_ascii_characters_at_most() {
        const LONGEST: &str = "a b*c~d+e/(!')&=%-0123456789-0123456789-0123456789-0123456789-ab";
        const TOO_LONG: &str = "a b*c~d+e/(!')&=%-0123456789-0123456789-0123456789-0123456789-abc";
        assert_eq!((LONGEST.len(), TOO_LONG.len()), (64, 65));
        let token =
            |value| code(read(&[("ClientToken", value)], |parameters| parameters.client_token()));
        assert_eq!(token(LONGEST), Ok(Some(LONGEST)));
        assert_eq!(token(""), Ok(None));
        for value in [TOO_LONG, "é"] {
            assert_eq!(token(value), Err("InvalidClientToken.ValueNotSupported"), "{value}");
        }
    }

    #[test]
    fn ids_are_separated_by_commas_and_empty_ones_do_not_count() {
        let ids = |value| read(&[("Ids", value)], |parameters| parameters.ids("Ids"));
        assert_eq!(ids("a"), Some(vec!["a"]));
        assert_eq!(ids("a,b ,  c"), Some(vec!["a", "b", "c"]));
        assert_eq!(ids(",a,,b,"), Some(vec!["a", "b"]));
        assert_eq!(ids(", ,"), Some(vec![]));
        assert_eq!(ids(""), None);
    }

    #[test]
    fn tags_are_numbered_from_1_to_20_with_gaps_and_need_a_key() {
        let given = [
            ("Tag.1.Key", "a"),
            ("Tag.1.Value", "1"),
            ("Tag.2.Value", "no key"),
            ("Tag.3.Key", ""),
            ("Tag.7.Key", "b"),
            ("Tag.20.Key", "c"),
            ("Tag.20.Value", ""),
            ("Tag.0.Key", "d"),
            ("Tag.01.Key", "e"),
            ("Tag.21.Key", "f"),
            ("Tags.1.Key", "g"),
        ];
        let tags = read(&given, |parameters| parameters.tags("Tag"));
        let tag = |key, value| Tag { key, value };
        assert_eq!(tags, [tag("a", Some("1")), tag("b", None), tag("c", None)]);
    }
}
