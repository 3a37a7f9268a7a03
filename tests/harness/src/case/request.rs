//! A request of a case, as its file has it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::client::HOST;
use crate::secrets;

/// The most characters that a client token may have.
const CLIENT_TOKEN_MAX: usize = 64;

/// A request, before it is signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The operation; absent: that of the case.
    #[serde(default)]
    pub action: String,
    /// The HTTP method.
    #[serde(default = "post")]
    pub method: String,
    /// The kind of signature; absent: both are tried.
    pub signature: Option<Style>,
    /// The format to ask for.
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
    /// The host that the request names.
    #[serde(skip, default = "host")]
    pub host: String,
    /// The nonce; absent: one that no other call has.
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
    /// What is changed after signing.
    #[serde(default)]
    pub after_signing: BTreeMap<String, Setting>,
}

impl Request {
    /// Whether it is signed with the secret that cases sign with unless they say another.
    #[must_use]
    pub fn has_usual_secret(&self) -> bool {
        self.access_key_secret == secrets::SECRET
    }

    /// Puts `tail` behind the client token, as much of it as the longest token leaves room for.
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

    /// Replaces texts in what is sent, wherever they stand.
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

    /// The operation's parameters as one: where query and form both have one, that of the form counts.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        self.query.list().into_iter().chain(self.body.list()).collect()
    }

    /// Whether it only asks whether the call would pass.
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

/// The format that a case asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// It leaves it open: both are tried.
    #[default]
    Either,
    /// None: no `Format` is sent.
    None,
    /// This one, sent as it is.
    Format(String),
}

impl<'de> Deserialize<'de> for Asked {
    /// What is absent is [`Asked::Either`], a null is [`Asked::None`].
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
    /// Whether the common parameters stand in headers.
    #[must_use]
    pub fn is_v3(self) -> bool {
        match self {
            Self::V1 => false,
            Self::V3 | Self::V3Sm3 => true,
        }
    }
}

impl fmt::Display for Style {
    /// As cases write it.
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
    /// Each once.
    Map(BTreeMap<String, Text>),
    /// Some more than once.
    List(Vec<(Text, Text)>),
}

/// A text, maybe a long one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// As it stands.
    Plain(String),
    /// Repeated.
    #[serde(rename_all = "camelCase")]
    Repeated {
        /// What is repeated.
        repeat: String,
        /// How often it stands there.
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

/// What a common parameter is set to.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A text.
    Text(Text),
    /// A time, so far from now.
    #[serde(rename_all = "camelCase")]
    Time {
        /// Seconds from now; negative: in the past.
        offset_seconds: i64,
    },
    /// It is left out.
    Absent(()),
}
