//! The rules, fault by fault and two faults at a time.

use std::sync::Arc;

use super::*;
use crate::document::{Account, AssociatedInstance, Billing, Ipv6Isp};

const NOW_SECS: u64 = 1_767_323_045;
const ACCOUNT_ID: &str = "1234567890123456";
const ID_TAIL: &str = "abcdefghij0123456";
const FRESH: Fresh<'static> = Fresh { now_secs: NOW_SECS, id_tail: ID_TAIL };

/// One change to a call that would otherwise succeed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Parameter(&'static str, Option<&'static str>),
    NoAddress,
    AddressAccount(&'static str),
    AddressRegion(&'static str),
    Status(Ipv6AddressStatus),
    Ipv6Address(&'static str),
    PrivateGua,
    Associated(Option<&'static str>),
    Gateway(Option<&'static str>),
    HasBandwidth,
    Isp(Ipv6Isp),
    NoBilling,
    Cdt(CdtStatus),
    Sale(SaleStatus),
    Remembered { bandwidth: &'static str, expires_at_secs: u64 },
}

use Change::{
    AddressAccount, AddressRegion, Associated, Cdt, Gateway, HasBandwidth, Isp, NoAddress,
    NoBilling, Parameter, PrivateGua, Remembered, Sale, Status,
};

impl Change {
    /// Whether both changes can be made to one call.
    fn goes_with(self, other: Self) -> bool {
        let of_address = |change: Self| {
            matches!(
                change,
                AddressAccount(_)
                    | AddressRegion(_)
                    | Status(_)
                    | Self::Ipv6Address(_)
                    | PrivateGua
                    | Associated(_)
                    | Gateway(_)
                    | HasBandwidth
                    | Isp(_)
            )
        };
        let of_billing = |change: Self| matches!(change, Cdt(_) | Sale(_));
        match (self, other) {
            (Parameter(one, one_value), Parameter(two, two_value)) => {
                one != two || one_value == two_value
            }
            (NoAddress, change) | (change, NoAddress) if of_address(change) => false,
            (NoBilling, change) | (change, NoBilling) if of_billing(change) => false,
            (one, two) => {
                one == two || std::mem::discriminant(&one) != std::mem::discriminant(&two)
            }
        }
    }
}

/// What a call meets.
struct World {
    parameters: BTreeMap<&'static str, &'static str>,
    account: Account,
    address: Option<Ipv6Address>,
    token: Option<ClientToken>,
}

/// A call that succeeds.
fn sound() -> World {
    World {
        parameters: BTreeMap::from([
            ("RegionId", "cn-huhehaote"),
            ("Ipv6AddressId", "ipv6-1"),
            ("Bandwidth", "200"),
        ]),
        account: Account {
            account_id: ACCOUNT_ID.to_owned(),
            billing: Some(Billing {
                cdt_status: CdtStatus::Upgraded,
                sale_status: SaleStatus::Allowed,
            }),
        },
        address: Some(Ipv6Address {
            ipv6_address_id: "ipv6-1".to_owned(),
            account_id: ACCOUNT_ID.to_owned(),
            region_id: "cn-huhehaote".to_owned(),
            ipv6_address: "2408:4004:1::1".parse().unwrap(),
            vpc_id: "vpc-1".to_owned(),
            ipv6_gateway_id: Some("ipv6gw-1".to_owned()),
            status: Ipv6AddressStatus::Available,
            ipv6_isp: Ipv6Isp::Bgp,
            private_gua: false,
            associated_instance: Some(attached("NetworkInterface")),
            network_type: NetworkType::Private,
            ipv6_internet_bandwidth: None,
        }),
        token: None,
    }
}

fn attached(instance_type: &str) -> AssociatedInstance {
    AssociatedInstance { instance_type: instance_type.to_owned(), instance_id: "x-1".to_owned() }
}

fn token(bandwidth: &str, expires_at_secs: u64) -> ClientToken {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    ClientToken {
        account_id: ACCOUNT_ID.to_owned(),
        region_id: "cn-huhehaote".to_owned(),
        action: ACTION.to_owned(),
        client_token: "t-1".to_owned(),
        expires_at_secs,
        parameters: map(&[
            ("Ipv6AddressId", "ipv6-1"),
            ("Ipv6GatewayId", "ipv6gw-1"),
            ("InternetChargeType", "PayByBandwidth"),
            ("Bandwidth", bandwidth),
        ]),
        answer: map(&[("Ipv6AddressId", "ipv6-1"), ("InternetBandwidthId", "ipv6bw-first")]),
    }
}

impl World {
    fn with(mut self, change: Change) -> Self {
        if let (Some(address), change) = (self.address.as_mut(), change) {
            match change {
                AddressAccount(id) => address.account_id = id.to_owned(),
                AddressRegion(id) => address.region_id = id.to_owned(),
                Status(status) => address.status = status,
                Change::Ipv6Address(text) => address.ipv6_address = text.parse().unwrap(),
                PrivateGua => address.private_gua = true,
                Associated(kind) => address.associated_instance = kind.map(attached),
                Gateway(id) => address.ipv6_gateway_id = id.map(str::to_owned),
                Isp(isp) => address.ipv6_isp = isp,
                HasBandwidth => {
                    address.ipv6_internet_bandwidth = Some(InternetBandwidth {
                        internet_bandwidth_id: "ipv6bw-earlier".to_owned(),
                        internet_charge_type: InternetChargeType::PayByBandwidth,
                        bandwidth_mbps: 5,
                        instance_charge_type: InstanceChargeType::PostPaid,
                        business_status: BusinessStatus::Normal,
                    });
                }
                Parameter(..) | NoAddress | NoBilling | Cdt(_) | Sale(_) | Remembered { .. } => {}
            }
        }
        match change {
            Parameter(name, Some(value)) => drop(self.parameters.insert(name, value)),
            Parameter(name, None) => drop(self.parameters.remove(name)),
            NoAddress => self.address = None,
            NoBilling => self.account.billing = None,
            Cdt(status) => self.account.billing.as_mut().unwrap().cdt_status = status,
            Sale(status) => self.account.billing.as_mut().unwrap().sale_status = status,
            Remembered { bandwidth, expires_at_secs } => {
                self.token = Some(token(bandwidth, expires_at_secs));
            }
            AddressAccount(_)
            | AddressRegion(_)
            | Status(_)
            | Change::Ipv6Address(_)
            | PrivateGua
            | Associated(_)
            | Gateway(_)
            | HasBandwidth
            | Isp(_) => {}
        }
        self
    }

    fn answer(&self) -> Result<Decision, Error> {
        let request = Request::parse(&|name| self.parameters.get(name).copied())?;
        let caller =
            Caller { account_id: ACCOUNT_ID.to_owned(), request_id: "REQUEST-1".to_owned() };
        let documents = [
            Some(Resource::Account(self.account.clone())),
            self.address.clone().map(Box::new).map(Resource::Ipv6Address),
            self.token.clone().map(Box::new).map(Resource::ClientToken),
        ];
        let names = request.names(&caller);
        let read =
            documents.into_iter().flatten().filter(|document| names.contains(&document.name()));
        request.decide(&caller, &read.map(Arc::new).collect(), &FRESH)
    }

    fn code(&self) -> Result<Decision, ErrorCode> {
        self.answer().map_err(|error| error.code)
    }
}

fn changed(changes: &[Change]) -> World {
    changes.iter().fold(sound(), |world, change| world.with(*change))
}

const BY_TRAFFIC: Change = Parameter("InternetChargeType", Some("PayByTraffic"));

/// For every code that a rule answers, what brings it about; in checking order.
const FAULTS: &[(ErrorCode, &[Change])] = &[
    (ErrorCode::MissingRegionId, &[Parameter("RegionId", None)]),
    (ErrorCode::InvalidRegionIdNotFound, &[Parameter("RegionId", Some("cn-nowhere"))]),
    (ErrorCode::MissingParamIpv6InstanceId, &[Parameter("Ipv6AddressId", None)]),
    (ErrorCode::MissingBandwidth, &[Parameter("Bandwidth", None)]),
    (ErrorCode::IllegalParamIpv6Address, &[Parameter("Ipv6AddressId", Some("IPV6-1"))]),
    (ErrorCode::IllegalParamChargeType, &[Parameter("InstanceChargeType", Some("Weekly"))]),
    (
        ErrorCode::IllegalParamInternetChargeType,
        &[Parameter("InternetChargeType", Some("PayByHour"))],
    ),
    (ErrorCode::OperationUnsupportedPrePaid, &[Parameter("ChargeType", Some("PrePaid"))]),
    (ErrorCode::IllegalParamBandwidth, &[Parameter("Bandwidth", Some("2001"))]),
    (ErrorCode::InvalidClientTokenValueNotSupported, &[Parameter("ClientToken", Some("é"))]),
    (ErrorCode::InvalidDryRun, &[Parameter("DryRun", Some("maybe"))]),
    (
        ErrorCode::IdempotentParameterMismatch,
        &[
            Parameter("ClientToken", Some("t-1")),
            Remembered { bandwidth: "7", expires_at_secs: NOW_SECS + 1 },
        ],
    ),
    (ErrorCode::InvalidIpv6InstanceNotFound, &[NoAddress]),
    (ErrorCode::ResourceNotFoundIpv6Address, &[Status(Ipv6AddressStatus::Released)]),
    (ErrorCode::IncorrectStatusIpv6Instance, &[Status(Ipv6AddressStatus::Pending)]),
    (ErrorCode::OperationUnsupportedUla, &[Change::Ipv6Address("fd00::1")]),
    (ErrorCode::OperationUnsupportedPrivateGua, &[PrivateGua]),
    (ErrorCode::OperationDeniedUnSupportedBindTypeCloudInstance, &[Associated(Some("NatGateway"))]),
    (ErrorCode::OperationFailedIpv6GatewayNotExist, &[Gateway(None)]),
    (
        ErrorCode::OperationFailedIpv6GatewayDisMatchIpv6Address,
        &[Parameter("Ipv6GatewayId", Some("ipv6gw-other"))],
    ),
    (ErrorCode::OperationFailedInternetBandwidthAlreadyExisted, &[HasBandwidth]),
    (
        ErrorCode::UnsupportedFeatureInternetChargeTypeOnFreeIpv6Address,
        &[Associated(None), BY_TRAFFIC],
    ),
    (
        ErrorCode::UnsupportedFeatureInternetChargeTypeOnStaticIsp,
        &[Isp(Ipv6Isp::ChinaMobile), BY_TRAFFIC],
    ),
    (ErrorCode::OperationFailedQueryAccountInfo, &[NoBilling]),
    (ErrorCode::OperationFailedOpenCdtServiceFirst, &[Cdt(CdtStatus::NotOpened), BY_TRAFFIC]),
    (ErrorCode::OperationFailedUpgradeCdtServiceFirst, &[Cdt(CdtStatus::Opened), BY_TRAFFIC]),
    (ErrorCode::OperationFailedSaleValidate, &[Sale(SaleStatus::InArrears)]),
    (ErrorCode::DryRunOperation, &[Parameter("DryRun", Some("true"))]),
];

#[test]
fn every_code_but_system_busy_is_answered_by_a_rule_in_the_order_of_the_table() {
    let mut codes: Vec<ErrorCode> = FAULTS.iter().map(|(code, _)| *code).collect();
    codes.push(ErrorCode::SystemBusy);
    assert_eq!(codes, ErrorCode::ALL);
}

#[test]
fn one_fault_is_answered_by_its_own_code() {
    for (code, changes) in FAULTS {
        assert_eq!(changed(changes).code().map(drop), Err(*code), "{}", code.as_str());
    }
}

#[test]
fn of_two_faults_the_one_checked_first_is_answered() {
    let mut pairs = 0;
    for (first, (winner, winning)) in FAULTS.iter().enumerate() {
        for (loser, losing) in &FAULTS[first + 1..] {
            let compatible = winning.iter().all(|one| losing.iter().all(|two| one.goes_with(*two)));
            if !compatible {
                continue;
            }
            pairs += 1;
            let answer = changed(&[*winning, *losing].concat()).code().map(drop);
            let (winner, loser) = (winner.as_str(), loser.as_str());
            let answer = answer.map_err(ErrorCode::as_str);
            assert_eq!(answer, Err(winner), "{winner} wins before {loser}");
        }
    }
    // Of the 378 pairs, the 24 that would change one thing in two ways cannot meet.
    assert_eq!(pairs, 354, "pairs tried");
}

#[test]
fn a_sound_call_turns_the_address_public_and_remembers_its_token() {
    let world = changed(&[Parameter("ClientToken", Some("t-1"))]);
    let Ok(Decision::Commit { writes, answer }) = world.answer() else {
        unreachable!("a sound call is committed")
    };
    assert_eq!(
        answer,
        [
            ("Ipv6AddressId", "ipv6-1".to_owned()),
            ("InternetBandwidthId", "ipv6bw-abcdefghij0123456".to_owned())
        ]
    );
    let [
        Resource::Ipv6Address(address),
        Resource::InternetBandwidth(owner),
        Resource::ClientToken(remembered),
    ] = writes.as_slice()
    else {
        unreachable!("address, bandwidth and token are written together: {writes:?}")
    };
    assert_eq!(address.network_type, NetworkType::Public);
    assert_eq!(
        address.ipv6_internet_bandwidth,
        Some(InternetBandwidth {
            internet_bandwidth_id: "ipv6bw-abcdefghij0123456".to_owned(),
            internet_charge_type: InternetChargeType::PayByBandwidth,
            bandwidth_mbps: 200,
            instance_charge_type: InstanceChargeType::PostPaid,
            business_status: BusinessStatus::Normal,
        })
    );
    assert_eq!(owner.ipv6_address_id, "ipv6-1");
    assert_eq!(remembered.client_token, "t-1");
    assert_eq!(remembered.expires_at_secs, NOW_SECS + 86_400);
}

#[test]
fn a_call_without_a_token_is_remembered_under_its_request_id() {
    let Ok(Decision::Commit { writes, .. }) = sound().answer() else {
        unreachable!("a sound call is committed")
    };
    assert!(
        writes
            .iter()
            .any(|w| matches!(w, Resource::ClientToken(t) if t.client_token == "REQUEST-1")),
        "{writes:?}"
    );
}

/// The range of `Bandwidth` at every edge.
#[test]
fn bandwidth_is_a_whole_number_within_the_range_of_the_charge_type() {
    let legal: [(Option<&str>, &[&str]); 3] = [
        (None, &["1", "1000", "1001", "2000"]),
        (Some("PayByBandwidth"), &["1", "1000", "1001", "2000"]),
        (Some("PayByTraffic"), &["1", "999", "1000"]),
    ];
    let illegal: [(Option<&str>, &[&str]); 3] = [
        (None, &["0", "2001", "5000"]),
        (Some("PayByBandwidth"), &["0", "2001", "5000"]),
        (Some("PayByTraffic"), &["0", "1001", "2000", "2001", "5000"]),
    ];
    for (charge_type, bandwidths) in legal {
        for bandwidth in bandwidths {
            let changes = [
                Parameter("InternetChargeType", charge_type),
                Parameter("Bandwidth", Some(bandwidth)),
            ];
            assert!(changed(&changes).code().is_ok(), "{charge_type:?} {bandwidth}");
        }
    }
    for (charge_type, bandwidths) in illegal {
        for bandwidth in bandwidths {
            let changes = [
                Parameter("InternetChargeType", charge_type),
                Parameter("Bandwidth", Some(bandwidth)),
            ];
            let code = changed(&changes).code().map(drop);
            assert_eq!(code, Err(ErrorCode::IllegalParamBandwidth), "{charge_type:?} {bandwidth}");
        }
    }
    for bandwidth in ["abc", "+1", "-1", " 1", "1 ", "01", "1.0", "1e2", "0x10", "65537", "２００"]
        .into_iter()
        .chain(["99999999999999999999", "undefined", "null", "1,000", "\u{0}"])
    {
        let code = changed(&[Parameter("Bandwidth", Some(bandwidth))]).code().map(drop);
        assert_eq!(code, Err(ErrorCode::IllegalParamBandwidth), "{bandwidth:?}");
    }
}

#[test]
fn a_repeated_client_token_returns_the_first_allocation() {
    let remembered = [
        Parameter("ClientToken", Some("t-1")),
        Remembered { bandwidth: "200", expires_at_secs: NOW_SECS + 1 },
    ];
    let first = Ok(Decision::Replay(vec![
        ("Ipv6AddressId", "ipv6-1".to_owned()),
        ("InternetBandwidthId", "ipv6bw-first".to_owned()),
    ]));
    let same: [&[Change]; 6] = [
        &[],
        &[Parameter("InternetChargeType", Some("PayByBandwidth"))],
        &[Parameter("Ipv6GatewayId", Some("ipv6gw-1"))],
        &[Parameter("InstanceChargeType", Some("PostPaid")), Parameter("DryRun", Some("FALSE"))],
        // Whatever has become of the address and the account since.
        &[HasBandwidth, Status(Ipv6AddressStatus::Pending)],
        &[NoAddress, NoBilling],
    ];
    for changes in same {
        assert_eq!(changed(&[&remembered, changes].concat()).code(), first, "{changes:?}");
    }
}

#[test]
fn a_repeated_client_token_with_another_parameter_is_refused() {
    let remembered = [
        Parameter("ClientToken", Some("t-1")),
        Remembered { bandwidth: "200", expires_at_secs: NOW_SECS + 1 },
    ];
    for other in [
        Parameter("Ipv6AddressId", Some("ipv6-2")),
        Parameter("Bandwidth", Some("201")),
        BY_TRAFFIC,
        Parameter("Ipv6GatewayId", Some("ipv6gw-2")),
        Parameter("DryRun", Some("true")),
    ] {
        let code = changed(&[remembered.as_slice(), &[other]].concat()).code().map(drop);
        assert_eq!(code, Err(ErrorCode::IdempotentParameterMismatch), "{other:?}");
    }
}

#[test]
fn a_token_is_forgotten_when_its_time_is_up() {
    let expired = [
        Parameter("ClientToken", Some("t-1")),
        Remembered { bandwidth: "7", expires_at_secs: NOW_SECS },
    ];
    assert!(matches!(changed(&expired).code(), Ok(Decision::Commit { .. })));
}

#[test]
fn a_token_of_other_letter_case_is_another_token() {
    let other = [
        Parameter("ClientToken", Some("T-1")),
        Remembered { bandwidth: "7", expires_at_secs: NOW_SECS + 1 },
    ];
    assert!(matches!(changed(&other).code(), Ok(Decision::Commit { .. })));
}

#[test]
fn an_address_of_another_account_or_region_is_no_such_address() {
    for change in [AddressAccount("6543210987654321"), AddressRegion("cn-hangzhou")] {
        let code = changed(&[change]).code().map(drop);
        assert_eq!(code, Err(ErrorCode::InvalidIpv6InstanceNotFound), "{change:?}");
    }
}

#[test]
fn what_the_page_allows_is_allowed() {
    let allowed: [&[Change]; 10] = [
        &[Associated(Some("EcsInstance"))],
        &[Associated(None)],
        &[Associated(None), Parameter("InternetChargeType", Some("PayByBandwidth"))],
        &[Isp(Ipv6Isp::ChinaTelecom)],
        &[Cdt(CdtStatus::NotOpened)],
        &[Cdt(CdtStatus::Opened)],
        &[BY_TRAFFIC],
        &[Parameter("Ipv6GatewayId", Some("ipv6gw-1"))],
        &[Change::Ipv6Address("fbff:ffff::1")],
        &[Change::Ipv6Address("fe00::1")],
    ];
    for changes in allowed {
        assert!(matches!(changed(changes).code(), Ok(Decision::Commit { .. })), "{changes:?}");
    }
}

#[test]
fn every_single_line_and_every_bar_to_a_sale_is_refused() {
    for isp in [Ipv6Isp::ChinaMobile, Ipv6Isp::ChinaUnicom, Ipv6Isp::ChinaTelecom] {
        let code = changed(&[Isp(isp), BY_TRAFFIC]).code().map(drop);
        let expected = ErrorCode::UnsupportedFeatureInternetChargeTypeOnStaticIsp;
        assert_eq!(code, Err(expected), "{isp:?}");
    }
    for sale in [SaleStatus::InArrears, SaleStatus::RiskControl, SaleStatus::QuotaExceeded] {
        let code = changed(&[Sale(sale)]).code().map(drop);
        assert_eq!(code, Err(ErrorCode::OperationFailedSaleValidate), "{sale:?}");
    }
    for ula in ["fc00::", "fc00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
        let code = changed(&[Change::Ipv6Address(ula)]).code().map(drop);
        assert_eq!(code, Err(ErrorCode::OperationUnsupportedUla), "{ula}");
    }
}

#[test]
fn an_id_has_a_prefix_and_lower_case_letters_digits_and_hyphens() {
    for id in ["ipv6-", "IPV6-1", "ipv6-A", "ipv6-1_2", "ipv6-1 ", " ipv6-1", "ipv6gw-1", "eni-1"] {
        let code = changed(&[Parameter("Ipv6AddressId", Some(id))]).code().map(drop);
        assert_eq!(code, Err(ErrorCode::IllegalParamIpv6Address), "{id:?}");
    }
}

#[test]
fn a_token_may_have_64_ascii_characters_and_no_more() {
    let token = "a b*c~d+e/(!')&=%-0123456789-0123456789-0123456789-0123456789-ab";
    assert_eq!(token.len(), 64);
    assert!(changed(&[Parameter("ClientToken", Some(token))]).code().is_ok());
    let long = "a b*c~d+e/(!')&=%-0123456789-0123456789-0123456789-0123456789-abc";
    let code = changed(&[Parameter("ClientToken", Some(long))]).code().map(drop);
    assert_eq!(code, Err(ErrorCode::InvalidClientTokenValueNotSupported));
}

#[test]
fn an_empty_value_counts_as_absent() {
    for (name, expected) in [
        ("RegionId", Err(ErrorCode::MissingRegionId)),
        ("Ipv6AddressId", Err(ErrorCode::MissingParamIpv6InstanceId)),
        ("Bandwidth", Err(ErrorCode::MissingBandwidth)),
        ("InternetChargeType", Ok(())),
        ("InstanceChargeType", Ok(())),
        ("ChargeType", Ok(())),
        ("Ipv6GatewayId", Ok(())),
        ("ClientToken", Ok(())),
        ("DryRun", Ok(())),
    ] {
        assert_eq!(changed(&[Parameter(name, Some(""))]).code().map(drop), expected, "{name}");
    }
}
