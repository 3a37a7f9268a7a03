//! The table of operations.

use std::fmt;
use std::sync::Arc;

use allocation::operations::{self, Visitor};
use allocation::{ClientToken, ErrorRow, Kind as _, Operation, Resource, Texts};
use rpc::Format;
use store::Document;

use crate::API;
use crate::invocation::{CallParser, ParserOf};

/// The element of every answer, which the function adds.
const REQUEST_ID: &str = "RequestId";

/// The product's actions for IPv6 addresses and the resources that they need, implemented or not.
const ACTIONS_OF_PRODUCT: &[&str] = &[
    "AllocateIpv6Address",
    "AllocateIpv6InternetBandwidth",
    "AllocateVpcIpv6Cidr",
    "AssociateVpcCidrBlock",
    "CreateDefaultVpc",
    "CreateIpv6EgressOnlyRule",
    "CreateIpv6Gateway",
    "CreateVSwitch",
    "CreateVpc",
    "DeleteIpv6EgressOnlyRule",
    "DeleteIpv6Gateway",
    "DeleteIpv6InternetBandwidth",
    "DeleteVSwitch",
    "DeleteVpc",
    "DescribeIpv6Addresses",
    "DescribeIpv6EgressOnlyRules",
    "DescribeIpv6GatewayAttribute",
    "DescribeIpv6Gateways",
    "DescribeRegions",
    "DescribeRouteTableList",
    "DescribeRouteTables",
    "DescribeVSwitchAttributes",
    "DescribeVSwitches",
    "DescribeVpcAttribute",
    "DescribeVpcs",
    "DescribeZones",
    "ListTagResources",
    "ModifyIpv6AddressAttribute",
    "ModifyIpv6GatewayAttribute",
    "ModifyIpv6InternetBandwidth",
    "ModifyRouteTableAttributes",
    "ModifyVSwitchAttribute",
    "ModifyVpcAttribute",
    "MoveResourceGroup",
    "ReleaseIpv6Address",
    "TagResources",
    "UnTagResources",
    "UnassociateVpcCidrBlock",
];

/// The operations by name.
#[derive(Clone, Debug)]
pub struct Operations(Vec<Entry>);

/// An operation: its name, its errors, the elements of its answer, and the parser of its calls.
#[derive(Clone)]
pub struct Entry {
    /// See [`Operation::NAME`].
    pub name: &'static str,
    /// See [`Operation::ERRORS`].
    pub errors: &'static [&'static ErrorRow],
    /// See [`Operation::JSON`].
    pub json: &'static [&'static str],
    /// See [`Operation::XML`].
    pub xml: &'static [&'static str],
    /// See [`Operation::DEFAULTED_FROM_STATE`].
    pub defaulted_from_state: &'static [&'static str],
    /// Parses the operation's calls.
    pub parser: Arc<dyn CallParser>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Entry {
    /// The operation `O`.
    #[must_use]
    pub fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            errors: O::ERRORS,
            json: O::JSON,
            xml: O::XML,
            defaulted_from_state: O::DEFAULTED_FROM_STATE,
            parser: Arc::new(ParserOf::<O>::new()),
        }
    }

    /// The elements of the answer in `format`, in order.
    #[must_use]
    pub fn order(&self, format: Format) -> &'static [&'static str] {
        match format {
            Format::Json => self.json,
            Format::Xml => self.xml,
        }
    }

    /// The operation's own row with the code of `row`, or else `row`: operations may have different
    /// statuses and messages for a code.
    pub(crate) fn row(&self, row: &'static ErrorRow) -> &'static ErrorRow {
        self.errors.iter().find(|own| **own == row).unwrap_or(&row)
    }

    /// Whether `answer` has exactly the elements of the operation's answer.
    fn fits(&self, answer: &Texts) -> bool {
        let mut elements = self.json.iter().filter(|name| **name != REQUEST_ID);
        elements.clone().count() == answer.iter().count()
            && elements.all(|name| answer.get(name).is_some())
    }
}

impl Visitor for Operations {
    fn visit<O: Operation>(&mut self) {
        self.0.push(Entry::of::<O>());
    }
}

impl Operations {
    /// Every implemented operation.
    #[must_use]
    pub fn all() -> Self {
        let mut all = Self(Vec::new());
        operations::visit(&mut all);
        all
    }

    /// These operations. Their names must differ.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// The operation of this name. Letter case counts.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    /// The operation of this name.
    ///
    /// # Errors
    ///
    /// There is no such operation, or it is not implemented.
    pub fn route(&self, name: &str) -> Result<&Entry, rpc::Error> {
        self.find(name).ok_or_else(|| {
            if ACTIONS_OF_PRODUCT.contains(&name) {
                rpc::error::not_built(API.product, name)
            } else {
                rpc::error::INVALID_ACTION_NOT_FOUND.into()
            }
        })
    }

    /// Checks that each client token in `documents` has a valid answer of its operation, so that a
    /// replay can be answered.
    ///
    /// # Errors
    ///
    /// The first client token with another answer.
    pub fn fit<'d>(
        &self,
        documents: impl IntoIterator<Item = &'d Document>,
    ) -> Result<(), UnfitToken> {
        let tokens = documents.into_iter().filter_map(|document| match document {
            Document::Resource(Resource::ClientToken(token)) => Some(token),
            Document::Resource(_) | Document::AccessKey(_) | Document::Identity(_) => None,
        });
        for token in tokens {
            let entry = self.find(&token.action);
            if !entry.is_some_and(|entry| entry.fits(&token.answer)) {
                return Err(UnfitToken::new(token, entry));
            }
        }
        Ok(())
    }
}

impl IntoIterator for Operations {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A client token without a valid answer of its operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitToken {
    account_id: Box<str>,
    id: String,
    /// The elements of the operation's answer; `None`: there is no such operation.
    elements: Option<&'static [&'static str]>,
}

impl UnfitToken {
    fn new(token: &ClientToken, entry: Option<&Entry>) -> Self {
        Self {
            account_id: token.account_id.clone(),
            id: token.id(),
            elements: entry.map(|entry| entry.json),
        }
    }
}

impl fmt::Display for UnfitToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account_id, id, elements } = self;
        write!(formatter, "Accounts.{account_id}.ClientTokens.{id}: ")?;
        match elements {
            None => formatter.write_str("unknown operation"),
            Some(elements) => {
                let elements: Vec<&str> =
                    elements.iter().copied().filter(|name| *name != REQUEST_ID).collect();
                match elements.as_slice() {
                    [] => formatter.write_str("invalid Answer, expected an empty object"),
                    elements => {
                        write!(formatter, "invalid Answer, expected {}", elements.join(" and "))
                    }
                }
            }
        }
    }
}

impl std::error::Error for UnfitToken {}

#[cfg(test)]
mod tests {
    use allocation::{Region, Timestamp};

    use super::*;

    fn entry(name: &'static str, json: &'static [&'static str]) -> Entry {
        let operation = Operations::all().into_iter().next().unwrap();
        Entry { name, json, xml: json, ..operation }
    }

    fn token(action: &str, answer: &[&str]) -> Document {
        let token = ClientToken {
            account_id: "1234567890123456".into(),
            region_id: Region::find("cn-huhehaote"),
            action: action.into(),
            client_token: "t".into(),
            expires_at: Timestamp::default(),
            parameters: Texts::default(),
            answer: answer.iter().map(|name| (name, "x")).collect(),
        };
        Resource::from(token).into()
    }

    #[test]
    fn the_answer_of_a_client_token_must_have_the_elements_of_its_operation() {
        let operations =
            Operations::of([entry("Buy", &["A", "RequestId", "B"]), entry("Sell", &["RequestId"])]);
        let fit = |action: &str, answer: &[&str]| {
            let documents = [token("Sell", &[]), token(action, answer)];
            operations.fit(&documents).map_err(|unfit| unfit.to_string())
        };
        assert_eq!(fit("Buy", &["B", "A"]), Ok(()));
        let at = "Accounts.1234567890123456.ClientTokens.cn-huhehaote/";
        for answer in [&[][..], &["A"], &["A", "B", "C"], &["A", "RequestId"], &["A", "A"]] {
            let expected = format!("{at}Buy/t: invalid Answer, expected A and B");
            assert_eq!(fit("Buy", answer), Err(expected), "{answer:?}");
        }
        let expected = format!("{at}Sell/t: invalid Answer, expected an empty object");
        assert_eq!(fit("Sell", &["A"]), Err(expected));
        let expected = format!("{at}Lend/t: unknown operation");
        assert_eq!(fit("Lend", &[]), Err(expected));
    }

    #[test]
    fn an_operation_is_found_by_its_name_and_letter_case_counts() {
        let operations = Operations::all();
        let names: Vec<&str> = operations.0.iter().map(|entry| entry.name).collect();
        for name in &names {
            assert_eq!(operations.find(name).map(|entry| entry.name), Some(*name));
            assert!(operations.find(&name.to_lowercase()).is_none());
            assert!(ACTIONS_OF_PRODUCT.contains(name), "{name}");
        }
        let not_built = ACTIONS_OF_PRODUCT.iter().filter(|name| !names.contains(name));
        for name in not_built {
            let error = operations.route(name).unwrap_err();
            assert_eq!(error.code, rpc::error::INVALID_ACTION_NOT_FOUND);
            assert!(
                error.to_string().contains(&format!(" {name} is an action of Vpc ")),
                "{error}"
            );
        }
        let unknown = operations.route("Unknown").unwrap_err();
        assert_eq!(unknown, rpc::error::INVALID_ACTION_NOT_FOUND.into());
    }
}
