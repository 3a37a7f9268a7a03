//! Accounts.

use serde::{Deserialize, Serialize};

use crate::key::{Key, Parts};
use crate::kind::{Flaw, Kind};

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    /// 16 digits.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The billing record; `None` if it is missing or unreadable (decision `billing`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Billing>,
}

impl Account {
    /// The parts of the key of the account with this id.
    #[must_use]
    pub fn at(account_id: &str) -> Parts<'_> {
        Parts::single(Self::NAME, &[account_id])
    }

    /// The key of the account with this id.
    #[must_use]
    pub fn key(account_id: &str) -> Key {
        Self::at(account_id).key()
    }
}

impl Kind for Account {
    fn parts(&self) -> Parts<'_> {
        Self::at(&self.account_id)
    }

    fn id(&self) -> String {
        String::new()
    }

    fn account_id(&self) -> &str {
        &self.account_id
    }

    fn identify(&mut self, account_id: &str, _id: &str) -> Result<(), Flaw> {
        self.account_id = account_id.into();
        Ok(())
    }
}

/// The billing record of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Billing {
    /// Cloud Data Transfer billing, which pay-by-traffic requires (decision `cdt`).
    pub cdt_status: CdtStatus,
    /// Whether the account may buy, and the reason if not (decision `billing`).
    pub sale_status: SaleStatus,
}

/// The state of an account's CDT billing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CdtStatus {
    /// Not opened.
    NotOpened,
    /// Opened, but not upgraded to cover this product.
    Opened,
    /// Opened and upgraded.
    Upgraded,
}

/// Whether an account may buy, and the reason if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SaleStatus {
    /// The account may buy.
    Allowed,
    /// Bills are overdue.
    InArrears,
    /// The account is under risk control.
    RiskControl,
    /// The quota of bandwidths is used up.
    QuotaExceeded,
}

impl SaleStatus {
    /// Whether the account may buy.
    #[must_use]
    pub const fn allows_sale(self) -> bool {
        match self {
            Self::Allowed => true,
            Self::InArrears | Self::RiskControl | Self::QuotaExceeded => false,
        }
    }
}
