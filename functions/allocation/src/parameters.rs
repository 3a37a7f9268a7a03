//! Readers of a call's parameters, shared by all operations.

use std::fmt;

use crate::error::{self, ErrorRow, Refusal};
use crate::region::Region;

/// Looks a parameter up by its documented name; the value may be empty.
pub type LookUp<'p> = dyn Fn(&str) -> Option<&'p str> + Send + Sync + 'p;

/// The parameters of a call, which the request's buffer holds.
#[derive(Clone, Copy)]
pub struct Parameters<'p>(&'p LookUp<'p>);

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parameters")
    }
}

/// The longest client token, in characters (decision `token`).
pub const CLIENT_TOKEN_CHARACTERS_MAX: usize = 64;

/// The most tags that a call may name (decision `tags`).
pub const TAGS_MAX: usize = 20;

/// The largest page of a list (decision `page-size`).
pub const PAGE_SIZE_MAX: u32 = 100;

/// A page of a list: "PageNumber default 1", "PageSize default 10".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// From 1 to [`PAGE_SIZE_MAX`].
    pub size: u32,
}

/// A tag that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'p> {
    /// Not empty.
    pub key: &'p str,
    /// `None`: any.
    pub value: Option<&'p str>,
}

impl<'p> Parameters<'p> {
    /// The parameters that `look_up` finds.
    #[must_use]
    pub fn new(look_up: &'p LookUp<'p>) -> Self {
        Self(look_up)
    }

    /// A parameter. An empty value is an absent one (decisions `missing` and `empty-optional`).
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&'p str> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// A required parameter.
    ///
    /// # Errors
    ///
    /// `missing`: it is absent or empty.
    pub fn required(&self, name: &str, missing: &'static ErrorRow) -> Result<&'p str, Refusal> {
        self.given(name).ok_or_else(|| missing.into())
    }

    /// `RegionId`, which every operation requires.
    ///
    /// # Errors
    ///
    /// It is absent, or not one of the vendor's regions (decision `region`).
    pub fn region(&self) -> Result<Region, Refusal> {
        let region_id = self.required("RegionId", &error::MISSING_REGION_ID)?;
        Region::find(region_id).ok_or_else(|| (&error::INVALID_REGION_ID_NOT_FOUND).into())
    }

    /// A parameter that is true or false. The vendor's clients write True, False, true and false
    /// (decision `boolean-form`).
    ///
    /// # Errors
    ///
    /// `invalid`: it is neither.
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
    /// It holds more than ASCII or is too long (decision `token`).
    pub fn client_token(&self) -> Result<Option<&'p str>, Refusal> {
        match self.given("ClientToken") {
            Some(token) if !token.is_ascii() || token.len() > CLIENT_TOKEN_CHARACTERS_MAX => {
                Err((&error::INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED).into())
            }
            token => Ok(token),
        }
    }

    /// `DryRun`; absent: false.
    ///
    /// # Errors
    ///
    /// It is neither true nor false.
    pub fn dry_run(&self) -> Result<bool, Refusal> {
        Ok(self.boolean("DryRun", &error::INVALID_DRY_RUN)?.unwrap_or(false))
    }

    /// `PageNumber` and `PageSize`; a size above the largest is cut to it (decision `page-size`).
    ///
    /// # Errors
    ///
    /// One of them is no whole number, or 0.
    pub fn page(&self) -> Result<Page, Refusal> {
        let number = |name: &str, default: u32, invalid: &'static ErrorRow| {
            let Some(value) = self.given(name) else { return Ok(default) };
            match whole_number(value) {
                Some(0) | None => Err(Refusal::from(invalid)),
                Some(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
            }
        };
        let page_number = number("PageNumber", 1, &error::INVALID_PAGE_NUMBER)?;
        let size = number("PageSize", 10, &error::INVALID_PAGE_SIZE)?.min(PAGE_SIZE_MAX);
        Ok(Page { number: page_number, size })
    }

    /// Ids separated by commas; an empty list of them is an absent one.
    pub fn ids(&self, name: &str) -> Option<Vec<&'p str>> {
        self.given(name)
            .map(|ids| ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect())
    }

    /// `Tag.1.Key`, `Tag.1.Value`, …: those whose key is given.
    #[must_use]
    pub fn tags(&self, name: &str) -> Vec<Tag<'p>> {
        let tag = |number: usize| {
            let key = self.given(&format!("{name}.{number}.Key"))?;
            Some(Tag { key, value: (self.0)(&format!("{name}.{number}.Value")) })
        };
        (1..=TAGS_MAX).filter_map(tag).collect()
    }
}

/// A whole number in decimal digits, without sign, space or leading zero (decision
/// `bandwidth-form`); `None` also for one that is too large.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    let is_in_form =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_in_form)
}
