//! The contract's tables of errors, and the order in which they are checked.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::contract::Contract;
use crate::judge::ACTION;

/// A documented error.
#[derive(Clone, Debug)]
pub struct Row {
    /// The HTTP status.
    pub status: u16,
    /// The message, its placeholders filled as far as the table can.
    pub message: String,
    /// What it rests on: the page's sentence, or a decision.
    pub because: String,
}

/// What the operation's file and the tables of errors say.
#[derive(Debug)]
pub struct Table {
    rows: BTreeMap<String, Row>,
    /// The errors of every action, in checking order.
    gate: Vec<String>,
    /// The errors of the operation, in checking order.
    operation: Vec<String>,
    address_id: regex::Regex,
    charge_types: BTreeMap<String, (u64, u64)>,
    token_chars_max: usize,
    older_names: Vec<String>,
}

impl Table {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// The file, and what is missing in it.
    pub fn read(contract: &Contract) -> Result<Self, String> {
        let mut rows = BTreeMap::new();
        let gate = read_rows(contract, "common/errors.json", &mut rows)?;
        read_rows(contract, &format!("{ACTION}/errors.json"), &mut rows)?;
        let path = format!("{ACTION}/operation.json");
        let operation = contract.json(&path)?;
        let missing = |field: &str| format!("{}/{path}: {field}: missing", contract.origin());
        let order =
            operation["checkingOrder"].as_array().ok_or_else(|| missing("checkingOrder"))?;
        let order: Vec<String> =
            order.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if let Some(code) = order.iter().find(|code| !rows.contains_key(*code)) {
            return Err(format!("{}/{path}: checkingOrder: {code} is no error", contract.origin()));
        }
        let parameter = |name: &str| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let found = parameters.into_iter().find(|parameter| parameter["name"] == name);
            found.ok_or_else(|| missing(&format!("parameters: {name}")))
        };
        let pattern = &parameter("Ipv6AddressId")?["pattern"];
        let pattern = pattern.as_str().ok_or_else(|| missing("the pattern of Ipv6AddressId"))?;
        let address_id = regex::Regex::new(pattern)
            .map_err(|error| format!("{}/{path}: {error}", contract.origin()))?;
        let limits = &parameter("Bandwidth")?["limits"];
        let limits = limits.as_object().ok_or_else(|| missing("the limits of Bandwidth"))?;
        let range = |limit: &Value| Some((limit["minimum"].as_u64()?, limit["maximum"].as_u64()?));
        let charge_types =
            limits.iter().filter_map(|(name, limit)| Some((name.clone(), range(limit)?)));
        let token_max = parameter("ClientToken")?["limits"]["maximumCharacters"].as_u64();
        let token_max = token_max.and_then(|max| usize::try_from(max).ok());
        let beyond = operation["acceptedBeyondThePage"].as_array().into_iter().flatten();
        let older_names = beyond.filter_map(|parameter| parameter["name"].as_str());
        Ok(Self {
            rows,
            gate,
            operation: order,
            address_id,
            charge_types: charge_types.collect(),
            token_chars_max: token_max.ok_or_else(|| missing("the limit of ClientToken"))?,
            older_names: older_names.map(str::to_owned).collect(),
        })
    }

    /// The error of this code.
    #[must_use]
    pub fn row(&self, code: &str) -> Option<&Row> {
        self.rows.get(code)
    }

    /// The codes of all errors.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Where a code of every action stands in the order; the last if it does not.
    #[must_use]
    pub fn gate_rank(&self, code: &str) -> usize {
        position(&self.gate, code)
    }

    /// Where a code of the operation stands in the order; the last if it does not.
    #[must_use]
    pub fn operation_rank(&self, code: &str) -> usize {
        position(&self.operation, code)
    }

    /// Whether a text is an address id.
    #[must_use]
    pub fn is_address_id(&self, text: &str) -> bool {
        // A dollar sign stands before a last line break, too, in some languages.
        self.address_id.is_match(text) && !text.ends_with('\n')
    }

    /// The least and the greatest bandwidth of a charge type; `None` if it is none.
    #[must_use]
    pub fn limits(&self, charge_type: &str) -> Option<(u64, u64)> {
        self.charge_types.get(charge_type).copied()
    }

    /// How long a client token may be.
    #[must_use]
    pub fn token_chars_max(&self) -> usize {
        self.token_chars_max
    }

    /// The older names of a charge type, of the instance's.
    #[must_use]
    pub fn older_names(&self) -> &[String] {
        &self.older_names
    }
}

fn position(order: &[String], code: &str) -> usize {
    order.iter().position(|known| known == code).unwrap_or(order.len())
}

fn read_rows(
    contract: &Contract,
    path: &str,
    rows: &mut BTreeMap<String, Row>,
) -> Result<Vec<String>, String> {
    let table = contract.json(path)?;
    let errors = table["errors"].as_array();
    let errors = errors.ok_or_else(|| format!("{}/{path}: errors: missing", contract.origin()))?;
    let mut order = Vec::new();
    for (position, error) in errors.iter().enumerate() {
        let missing = |field: &str| {
            format!("{}/{path}: errors[{position}].{field}: missing", contract.origin())
        };
        let text = |field: &str| error[field].as_str().ok_or_else(|| missing(field));
        let code = text("code")?.to_owned();
        let status = error["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let because = match error["decision"].as_str() {
            Some(decision) => format!("decision {decision}: {}", text("description")?),
            None => match text("description")? {
                "" => format!("the page's row {code}: \"{}\"", text("message")?),
                page => format!("the page's row {code}: \"{page}\""),
            },
        };
        let message = text("filled")?.to_owned();
        let row = Row { status: status.ok_or_else(|| missing("status"))?, message, because };
        rows.insert(code.clone(), row);
        order.push(code);
    }
    Ok(order)
}
