//! `AllocateIpv6InternetBandwidth`: enables Internet bandwidth for an IPv6 address.

use std::collections::BTreeMap;

use crate::document::{
    BusinessStatus, CdtStatus, ClientToken, InstanceChargeType, InternetBandwidth,
    InternetBandwidthOwner, InternetChargeType, Ipv6Address, Ipv6AddressStatus, Name, NetworkType,
    Resource, SaleStatus, is_ipv6_address_id,
};
use crate::error::{Error, ErrorCode};
use crate::operation::{Answer, Caller, Decision, Documents, Fresh, Operation, Parameters};
use crate::region::is_known_region;

/// The operation's name.
pub const ACTION: &str = "AllocateIpv6InternetBandwidth";

/// How long a client token is remembered: 24 hours (decision `token`).
pub const CLIENT_TOKEN_LIFE_SECS: u64 = 24 * 60 * 60;

/// The longest client token, in characters (decision `token`).
pub const CLIENT_TOKEN_CHARACTERS_MAX: usize = 64;

/// A call whose parameters are all in form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A known region.
    pub region_id: String,
    /// The gateway; absent: that of the address's VPC.
    pub ipv6_gateway_id: Option<String>,
    /// `ipv6-…`.
    pub ipv6_address_id: String,
    /// How the bandwidth is billed; "`PayByBandwidth` (default)".
    pub internet_charge_type: InternetChargeType,
    /// Within the range of the charge type, in Mbit/s.
    pub bandwidth_mbps: u16,
    /// Makes the call idempotent; absent: the request's id serves.
    pub client_token: Option<String>,
    /// Whether to check only.
    pub dry_run: bool,
}

/// Parses the parameters of a call, for the table of actions.
///
/// # Errors
///
/// Those of [`Request::parse`].
pub fn parse(parameters: &Parameters<'_>) -> Result<Box<dyn Operation>, Error> {
    Ok(Box::new(Request::parse(parameters)?))
}

impl Request {
    /// Parses the parameters of a call.
    ///
    /// # Errors
    ///
    /// The first that applies: the region unknown, a required parameter missing, a parameter not
    /// in form (decisions `missing-order` and `charge-type-order`).
    pub fn parse(parameters: &Parameters<'_>) -> Result<Self, Error> {
        // An empty value is an absent one (decisions `missing` and `empty-optional`).
        let given = |name: &str| parameters(name).filter(|value| !value.is_empty());

        let region_id = given("RegionId").ok_or(ErrorCode::MissingRegionId)?;
        if !is_known_region(region_id) {
            return Err(ErrorCode::InvalidRegionIdNotFound.into());
        }
        let ipv6_address_id =
            given("Ipv6AddressId").ok_or(ErrorCode::MissingParamIpv6InstanceId)?;
        let bandwidth = given("Bandwidth").ok_or(ErrorCode::MissingBandwidth)?;

        if !is_ipv6_address_id(ipv6_address_id) {
            return Err(ErrorCode::IllegalParamIpv6Address.into());
        }
        // The page keeps the rows of a parameter that it no longer lists (decision `charge-type`).
        let instance_charge_types = [given("InstanceChargeType"), given("ChargeType")];
        let mut instance_charge_types = instance_charge_types.into_iter().flatten();
        if instance_charge_types.clone().any(|value| !matches!(value, "PostPaid" | "PrePaid")) {
            return Err(ErrorCode::IllegalParamChargeType.into());
        }
        let internet_charge_type = match given("InternetChargeType") {
            Some(value) => {
                InternetChargeType::parse(value).ok_or(ErrorCode::IllegalParamInternetChargeType)?
            }
            None => InternetChargeType::default(),
        };
        if instance_charge_types.any(|value| value == "PrePaid") {
            return Err(ErrorCode::OperationUnsupportedPrePaid.into());
        }
        let bandwidth_mbps = parse_bandwidth(bandwidth, internet_charge_type)
            .ok_or(ErrorCode::IllegalParamBandwidth)?;
        let client_token = given("ClientToken");
        if client_token
            .is_some_and(|token| !token.is_ascii() || token.len() > CLIENT_TOKEN_CHARACTERS_MAX)
        {
            return Err(ErrorCode::InvalidClientTokenValueNotSupported.into());
        }
        let dry_run = match given("DryRun") {
            // The vendor's clients write True, False, true and false (decision `boolean-form`).
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(_) => return Err(ErrorCode::InvalidDryRun.into()),
            None => false,
        };

        Ok(Self {
            region_id: region_id.to_owned(),
            ipv6_gateway_id: given("Ipv6GatewayId").map(str::to_owned),
            ipv6_address_id: ipv6_address_id.to_owned(),
            internet_charge_type,
            bandwidth_mbps,
            client_token: client_token.map(str::to_owned),
            dry_run,
        })
    }

    /// What the call's token is remembered under. The page: "If you do not specify this parameter,
    /// the system uses the `RequestId` as the `ClientToken`."
    fn token_name(&self, caller: &Caller) -> Name {
        Name::ClientToken {
            account_id: caller.account_id.clone(),
            region_id: self.region_id.clone(),
            action: ACTION.to_owned(),
            client_token: self.client_token.as_ref().unwrap_or(&caller.request_id).clone(),
        }
    }

    /// Whether `token` remembers a call with the same parameters, after defaults are filled in
    /// (decision `token-same`).
    fn repeats(&self, token: &ClientToken) -> bool {
        let remembered = |name: &str| token.parameters.get(name).map(String::as_str);
        // Only a call that was no dry run is remembered (decision `dry-run-token`).
        !self.dry_run
            && remembered("Ipv6AddressId") == Some(&self.ipv6_address_id)
            && remembered("InternetChargeType") == Some(self.internet_charge_type.as_str())
            && remembered("Bandwidth") == Some(&self.bandwidth_mbps.to_string())
            // Absent means the VPC's gateway, and that is the one remembered.
            && self.ipv6_gateway_id.as_deref().is_none_or(|id| remembered("Ipv6GatewayId") == Some(id))
    }

    /// Checks that `address` can take bandwidth and yields the gateway it goes through.
    fn check_address<'a>(&self, address: &'a Ipv6Address) -> Result<&'a str, Error> {
        match address.status {
            Ipv6AddressStatus::Available => {}
            Ipv6AddressStatus::Released => {
                return Err(ErrorCode::ResourceNotFoundIpv6Address.into());
            }
            Ipv6AddressStatus::Pending => {
                return Err(Error::about(
                    ErrorCode::IncorrectStatusIpv6Instance,
                    &address.ipv6_address_id,
                ));
            }
        }
        if address.ipv6_address.is_unique_local() {
            return Err(ErrorCode::OperationUnsupportedUla.into());
        }
        if address.private_gua {
            return Err(ErrorCode::OperationUnsupportedPrivateGua.into());
        }
        if address.associated_instance.as_ref().is_some_and(|i| !i.takes_internet_bandwidth()) {
            return Err(ErrorCode::OperationDeniedUnSupportedBindTypeCloudInstance.into());
        }
        let gateway_id = address
            .ipv6_gateway_id
            .as_deref()
            .ok_or(ErrorCode::OperationFailedIpv6GatewayNotExist)?;
        // One answer, whether or not the gateway exists elsewhere (decision `gateway`).
        if self.ipv6_gateway_id.as_deref().is_some_and(|id| id != gateway_id) {
            return Err(ErrorCode::OperationFailedIpv6GatewayDisMatchIpv6Address.into());
        }
        if address.ipv6_internet_bandwidth.is_some() {
            return Err(ErrorCode::OperationFailedInternetBandwidthAlreadyExisted.into());
        }
        Ok(gateway_id)
    }

    /// Checks that the address and the account can be billed as asked.
    fn check_billing(
        &self,
        address: &Ipv6Address,
        caller: &Caller,
        documents: &Documents,
    ) -> Result<(), Error> {
        let by_traffic = match self.internet_charge_type {
            InternetChargeType::PayByTraffic => true,
            InternetChargeType::PayByBandwidth => false,
        };
        if by_traffic && address.associated_instance.is_none() {
            return Err(ErrorCode::UnsupportedFeatureInternetChargeTypeOnFreeIpv6Address.into());
        }
        if by_traffic && address.ipv6_isp.is_single() {
            return Err(ErrorCode::UnsupportedFeatureInternetChargeTypeOnStaticIsp.into());
        }
        let billing = documents
            .account(&caller.account_id)
            .and_then(|account| account.billing)
            .ok_or(ErrorCode::OperationFailedQueryAccountInfo)?;
        match billing.cdt_status {
            CdtStatus::NotOpened if by_traffic => {
                return Err(ErrorCode::OperationFailedOpenCdtServiceFirst.into());
            }
            CdtStatus::Opened if by_traffic => {
                return Err(ErrorCode::OperationFailedUpgradeCdtServiceFirst.into());
            }
            CdtStatus::NotOpened | CdtStatus::Opened | CdtStatus::Upgraded => {}
        }
        match billing.sale_status {
            SaleStatus::Allowed => Ok(()),
            SaleStatus::InArrears | SaleStatus::RiskControl | SaleStatus::QuotaExceeded => {
                Err(ErrorCode::OperationFailedSaleValidate.into())
            }
        }
    }

    /// The address with its new bandwidth, the bandwidth's owner, and the token's memory: one
    /// atomic commit, so nothing can be stuck half-way or doubled.
    fn allocate(
        &self,
        address: &Ipv6Address,
        gateway_id: &str,
        token_name: Name,
        fresh: &Fresh<'_>,
    ) -> Decision {
        let internet_bandwidth_id = format!("ipv6bw-{}", fresh.id_tail);
        let answer = vec![
            ("Ipv6AddressId", self.ipv6_address_id.clone()),
            ("InternetBandwidthId", internet_bandwidth_id.clone()),
        ];
        let mut writes = vec![
            Resource::Ipv6Address(Box::new(Ipv6Address {
                network_type: NetworkType::Public,
                ipv6_internet_bandwidth: Some(InternetBandwidth {
                    internet_bandwidth_id: internet_bandwidth_id.clone(),
                    internet_charge_type: self.internet_charge_type,
                    bandwidth_mbps: self.bandwidth_mbps,
                    instance_charge_type: InstanceChargeType::PostPaid,
                    business_status: BusinessStatus::Normal,
                }),
                ..address.clone()
            })),
            Resource::InternetBandwidth(InternetBandwidthOwner {
                internet_bandwidth_id,
                ipv6_address_id: self.ipv6_address_id.clone(),
            }),
        ];
        if let Name::ClientToken { account_id, region_id, action, client_token } = token_name {
            writes.push(Resource::ClientToken(Box::new(ClientToken {
                account_id,
                region_id,
                action,
                client_token,
                expires_at_secs: fresh.now_secs + CLIENT_TOKEN_LIFE_SECS,
                parameters: BTreeMap::from([
                    ("Ipv6AddressId".to_owned(), self.ipv6_address_id.clone()),
                    ("Ipv6GatewayId".to_owned(), gateway_id.to_owned()),
                    (
                        "InternetChargeType".to_owned(),
                        self.internet_charge_type.as_str().to_owned(),
                    ),
                    ("Bandwidth".to_owned(), self.bandwidth_mbps.to_string()),
                ]),
                answer: answer
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect(),
            })));
        }
        Decision::Commit { writes, answer }
    }
}

impl Operation for Request {
    fn names(&self, caller: &Caller) -> Vec<Name> {
        vec![
            Name::Account(caller.account_id.clone()),
            Name::Ipv6Address(self.ipv6_address_id.clone()),
            self.token_name(caller),
        ]
    }

    fn decide(
        &self,
        caller: &Caller,
        documents: &Documents,
        fresh: &Fresh<'_>,
    ) -> Result<Decision, Error> {
        let token_name = self.token_name(caller);
        // A token that is past its time counts as gone, whether or not the store still holds it.
        let token = documents
            .client_token(&token_name)
            .filter(|token| token.expires_at_secs > fresh.now_secs);
        if let Some(token) = token {
            if !self.repeats(token) {
                return Err(ErrorCode::IdempotentParameterMismatch.into());
            }
            // The original answer, even if the bandwidth has since been deleted: a late duplicate
            // must not buy a second time (decision `token-late`).
            return Ok(Decision::Replay(remembered_answer(token)));
        }

        let address = documents
            .ipv6_address(&self.ipv6_address_id)
            // Another account's address, or another region's, is no such address (decisions
            // `not-found` and `region`).
            .filter(|a| a.account_id == caller.account_id && a.region_id == self.region_id)
            .ok_or(ErrorCode::InvalidIpv6InstanceNotFound)?;
        let gateway_id = self.check_address(address)?;
        self.check_billing(address, caller, documents)?;
        if self.dry_run {
            return Err(ErrorCode::DryRunOperation.into());
        }
        Ok(self.allocate(address, gateway_id, token_name, fresh))
    }
}

/// The answer that `token` remembers.
fn remembered_answer(token: &ClientToken) -> Answer {
    ["Ipv6AddressId", "InternetBandwidthId"]
        .into_iter()
        .filter_map(|name| Some((name, token.answer.get(name)?.clone())))
        .collect()
}

/// A whole number in decimal digits, without sign, space or leading zero (decision
/// `bandwidth-form`), from 1 to the most that the charge type allows.
fn parse_bandwidth(bandwidth: &str, internet_charge_type: InternetChargeType) -> Option<u16> {
    let in_form =
        bandwidth.bytes().all(|byte| byte.is_ascii_digit()) && !bandwidth.starts_with('0');
    let mbps = bandwidth.parse().ok().filter(|_| in_form)?;
    (1..=internet_charge_type.bandwidth_mbps_max()).contains(&mbps).then_some(mbps)
}

#[cfg(test)]
#[path = "allocate_ipv6_internet_bandwidth/tests.rs"]
mod tests;
