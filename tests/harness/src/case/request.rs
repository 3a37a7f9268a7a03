//! A request of a case, as written in its file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::Variant;
use crate::client::HOST;
use crate::secrets;

/// The most characters that a client token may have.
const CLIENT_TOKEN_MAX: usize = 64;

/// A request, before it is signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The operation; absent: the case's.
    #[serde(default)]
    pub action: String,
    /// The HTTP method.
    #[serde(default = "post")]
    pub method: String,
    /// The kind of signature; absent: both are tried.
    pub signature: Option<Style>,
    /// The requested format.
    #[serde(default)]
    pub format: Asked,
    /// The access key.
    #[serde(default = "testid")]
    pub access_key_id: String,
    /// Its secret.
    #[serde(default = "testsecret")]
    pub access_key_secret: String,
    /// The token that goes with a temporary access key.
    pub security_token: Option<String>,
    /// The host in the request.
    #[serde(skip, default = "host")]
    pub host: String,
    /// The nonce; absent: a fresh one.
    pub nonce: Option<String>,
    /// The operation's parameters in the query.
    #[serde(default)]
    pub query: Pairs,
    /// The operation's parameters in a form body.
    #[serde(default)]
    pub body: Pairs,
    /// Common parameters changed before signing.
    #[serde(default)]
    pub common: BTreeMap<String, Setting>,
    /// Changes after signing.
    #[serde(default)]
    pub after_signing: BTreeMap<String, Setting>,
}

impl Request {
    /// Whether the request is signed with the default secret of the cases.
    #[must_use]
    pub fn has_usual_secret(&self) -> bool {
        self.access_key_secret == secrets::SECRET
    }

    /// Appends `tail` to the client token, up to the greatest length of a token.
    pub fn lengthen_token(&mut self, tail: &str) {
        let lengthen = |name: &str, text: &mut Text| {
            if let Text::Plain(token) = text
                && name == "ClientToken"
                && !token.is_empty()
            {
                let room = CLIENT_TOKEN_MAX.saturating_sub(token.len());
                token.extend(tail.chars().take(room));
            }
        };
        for pairs in [&mut self.query, &mut self.body] {
            match pairs {
                Pairs::Map(map) => {
                    for (name, text) in map {
                        lengthen(name, text);
                    }
                }
                Pairs::List(list) => {
                    for (name, text) in list {
                        lengthen(&name.whole(), text);
                    }
                }
            }
        }
    }

    /// Replaces texts wherever the request has them.
    pub fn replace(&mut self, texts: &[(String, String)]) {
        let replaced = |text: &Text| {
            let replaced = |text: &String| {
                texts.iter().fold(text.clone(), |text, (old, new)| text.replace(old, new))
            };
            match text {
                Text::Plain(text) => Text::Plain(replaced(text)),
                Text::Repeated { repeat, times } => {
                    Text::Repeated { repeat: replaced(repeat), times: *times }
                }
            }
        };
        for pairs in [&mut self.query, &mut self.body] {
            match pairs {
                Pairs::Map(map) => map.values_mut().for_each(|value| *value = replaced(value)),
                Pairs::List(list) => list.iter_mut().for_each(|(name, value)| {
                    *name = replaced(name);
                    *value = replaced(value);
                }),
            }
        }
        for setting in self.common.values_mut().chain(self.after_signing.values_mut()) {
            match setting {
                Setting::Text(text) => *text = replaced(text),
                Setting::Time { .. } | Setting::Absent(()) => {}
            }
        }
    }

    /// The operation's parameters. The form's value overrides the query's.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        self.query.list().into_iter().chain(self.body.list()).collect()
    }

    /// The variant of this request in a case that is tried in the variant `of_case`.
    #[must_use]
    pub fn variant(&self, of_case: &Variant) -> Variant {
        let style = self.signature.unwrap_or(of_case.style);
        Variant { style, format: self.format.or(of_case.format.as_deref()) }
    }

    /// Whether this is a dry run.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        let parameters = self.parameters();
        parameters.get("DryRun").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

fn post() -> String {
    "POST".to_owned()
}

fn host() -> String {
    HOST.to_owned()
}

fn testid() -> String {
    "testid".to_owned()
}

fn testsecret() -> String {
    "testsecret".to_owned()
}

/// The format that a case requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Both formats are tried.
    #[default]
    Either,
    /// No `Format` is sent.
    None,
    /// This text is sent.
    Format(String),
}

impl Asked {
    /// The format to send, where `open` fills in what the case leaves open.
    #[must_use]
    pub fn or(&self, open: Option<&str>) -> Option<String> {
        match self {
            Self::Either => open.map(str::to_owned),
            Self::None => None,
            Self::Format(format) => Some(format.clone()),
        }
    }
}

impl<'de> Deserialize<'de> for Asked {
    /// An absent member is [`Asked::Either`], null is [`Asked::None`].
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(value)?.map_or(Self::None, Self::Format))
    }
}

/// The kinds of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
pub enum Style {
    /// HMAC-SHA1 over all parameters.
    #[default]
    V1,
    /// ACS3-HMAC-SHA256.
    V3,
    /// ACS3-HMAC-SM3.
    #[serde(rename = "V3-SM3")]
    V3Sm3,
}

impl Style {
    /// Whether the common parameters are headers.
    #[must_use]
    pub fn is_v3(self) -> bool {
        match self {
            Self::V1 => false,
            Self::V3 | Self::V3Sm3 => true,
        }
    }
}

impl fmt::Display for Style {
    /// The name in case files.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V1 => "V1",
            Self::V3 => "V3",
            Self::V3Sm3 => "V3-SM3",
        })
    }
}

impl FromStr for Style {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::V1, Self::V3, Self::V3Sm3].into_iter().find(|it| it.to_string() == text).ok_or(())
    }
}

/// Parameters, in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Pairs {
    /// No name is repeated.
    Map(BTreeMap<String, Text>),
    /// Names may be repeated.
    List(Vec<(Text, Text)>),
}

/// A text, written out or as a repetition.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The text itself.
    Plain(String),
    /// A repetition.
    #[serde(rename_all = "camelCase")]
    Repeated {
        /// The repeated text.
        repeat: String,
        /// The number of repetitions.
        times: usize,
    },
}

impl Text {
    /// The whole text.
    #[must_use]
    pub fn whole(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Repeated { repeat, times } => repeat.repeat(*times),
        }
    }
}

impl Default for Pairs {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Pairs {
    /// The parameters as a list.
    #[must_use]
    pub fn list(&self) -> Vec<(String, String)> {
        match self {
            Self::Map(map) => map.iter().map(|(name, text)| (name.clone(), text.whole())).collect(),
            Self::List(list) => {
                list.iter().map(|(name, text)| (name.whole(), text.whole())).collect()
            }
        }
    }
}

/// The value that a common parameter is set to.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A text.
    Text(Text),
    /// A time relative to now.
    #[serde(rename_all = "camelCase")]
    Time {
        /// Seconds from now; negative values are in the past.
        offset_seconds: i64,
    },
    /// The parameter is omitted.
    Absent(()),
}
