//! Plans as texts.

use std::fmt;
use std::str::FromStr;

use super::{Change, Edit, Place, Plan, Shape};

impl Plan {
    /// Reads a plan. What cannot be read is passed over, so that every text is one.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut plan =
            Self { key: "testid".to_owned(), method: "POST".to_owned(), ..Self::default() };
        for line in text.split('\n') {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "action" => rest.clone_into(&mut plan.action),
                "style" => plan.style = rest.parse().unwrap_or_default(),
                "shape" => plan.shape = rest.parse().unwrap_or_default(),
                "key" => rest.clone_into(&mut plan.key),
                "method" => rest.clone_into(&mut plan.method),
                "query" => rest.clone_into(&mut plan.query),
                "body" => rest.clone_into(&mut plan.body),
                "header" => plan.headers.extend(header(rest)),
                // More would make an input slow rather than telling.
                "then" if plan.changes.len() < 16 => plan.changes.extend(rest.parse::<Change>()),
                _ => {}
            }
        }
        plan
    }
}

fn header(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(':')?;
    Some((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
}

/// The number that a text begins with.
fn number(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end.min(6)].parse().unwrap_or_default()
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, style, shape, key, method, query, body, headers, changes } = self;
        if !action.is_empty() {
            writeln!(formatter, "action {action}")?;
        }
        write!(formatter, "style {style}\nshape {shape}\nkey {key}\nmethod {method}\n")?;
        write!(formatter, "query {query}\nbody {body}\n")?;
        for (name, value) in headers {
            writeln!(formatter, "header {name}: {value}")?;
        }
        changes.iter().try_for_each(|change| writeln!(formatter, "then {change}"))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::HttpApi => "http-api",
            Self::RestApi => "rest-api",
            Self::Alb => "alb",
        })
    }
}

impl FromStr for Shape {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::HttpApi, Self::RestApi, Self::Alb];
        all.into_iter().find(|it| it.to_string() == text).ok_or(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Query => "query",
            Self::Body => "body",
            Self::Header(name) => name,
        })
    }
}

impl From<&str> for Place {
    fn from(text: &str) -> Self {
        match text {
            "query" => Self::Query,
            "body" => Self::Body,
            name => Self::Header(name.to_owned()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(place, Edit::Insert(at, text)) => {
                write!(formatter, "insert {place} {at} {text}")
            }
            Self::Edit(place, Edit::Set(at, text)) => write!(formatter, "set {place} {at} {text}"),
            Self::Edit(place, Edit::Delete(at, length)) => {
                write!(formatter, "delete {place} {at} {length}")
            }
            Self::Method(method) => write!(formatter, "method {method}"),
            Self::AddHeader(name, value) => write!(formatter, "add-header {name}: {value}"),
            Self::RemoveHeader(name) => write!(formatter, "remove-header {name}"),
            Self::AddPair(place, pair) => write!(formatter, "add {place} {pair}"),
            Self::RemovePair(place, at) => write!(formatter, "remove {place} {at}"),
            Self::MovePair(place, at) => write!(formatter, "move {place} {at}"),
            Self::SwapPair(place, at) => write!(formatter, "swap {place} {at}"),
            Self::RepeatPair(place, at) => write!(formatter, "repeat {place} {at}"),
            Self::Recode(place) => write!(formatter, "recode {place}"),
        }
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (word, rest) = text.split_once(' ').ok_or(())?;
        match word {
            "method" => return Ok(Self::Method(rest.to_owned())),
            "add-header" => return header(rest).map(|(n, v)| Self::AddHeader(n, v)).ok_or(()),
            "remove-header" => return Ok(Self::RemoveHeader(rest.to_owned())),
            _ => {}
        }
        let (place, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let place = Place::from(place);
        let (at, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let at = number(at);
        Ok(match word {
            "insert" => Self::Edit(place, Edit::Insert(at, more.to_owned())),
            "set" => Self::Edit(place, Edit::Set(at, more.to_owned())),
            "delete" => Self::Edit(place, Edit::Delete(at, number(more))),
            "add" => Self::AddPair(place, rest.to_owned()),
            "remove" => Self::RemovePair(place, at),
            "move" => Self::MovePair(place, at),
            "swap" => Self::SwapPair(place, at),
            "repeat" => Self::RepeatPair(place, at),
            "recode" => Self::Recode(place),
            _ => return Err(()),
        })
    }
}
