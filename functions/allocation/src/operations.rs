//! The operations, one file each. A new operation is registered here and nowhere else.

mod allocate_ipv6_internet_bandwidth;
mod delete_ipv6_internet_bandwidth;
mod describe_ipv6_addresses;
mod modify_ipv6_internet_bandwidth;

pub use allocate_ipv6_internet_bandwidth::AllocateIpv6InternetBandwidth;
pub use delete_ipv6_internet_bandwidth::DeleteIpv6InternetBandwidth;
pub use describe_ipv6_addresses::DescribeIpv6Addresses;
pub use modify_ipv6_internet_bandwidth::ModifyIpv6InternetBandwidth;

use crate::operation::Operation;

/// Visits operations, each a type of its own.
pub trait Visitor {
    /// Visits one operation.
    fn visit<O: Operation>(&mut self);
}

/// Visits every operation.
pub fn visit(visitor: &mut impl Visitor) {
    visitor.visit::<AllocateIpv6InternetBandwidth>();
    visitor.visit::<DeleteIpv6InternetBandwidth>();
    visitor.visit::<DescribeIpv6Addresses>();
    visitor.visit::<ModifyIpv6InternetBandwidth>();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error::Refusal;

    struct Check(Vec<&'static str>);

    impl Visitor for Check {
        fn visit<O: Operation>(&mut self) {
            let codes: Vec<_> = O::ERRORS.iter().map(|row| row.code).collect();
            let distinct: BTreeSet<_> = codes.iter().collect();
            assert_eq!(distinct.len(), codes.len(), "{}: a code has one row: {codes:?}", O::NAME);
            for row in O::ERRORS {
                let message = Refusal::about(row, "ipv6-1").to_string();
                assert!(!message.contains('%'), "{}: {message}", O::NAME);
                assert!((400..=599).contains(&row.status), "{}: {row:?}", O::NAME);
            }
            let elements = |list: &[&'static str]| list.iter().copied().collect::<BTreeSet<_>>();
            assert_eq!(elements(O::JSON), elements(O::XML), "{}", O::NAME);
            assert_eq!((O::JSON.len(), O::XML.len()), (elements(O::JSON).len(), O::JSON.len()));
            assert!(O::JSON.contains(&"RequestId"), "{}", O::NAME);
            self.0.push(O::NAME);
        }
    }

    #[test]
    fn every_operation_has_its_own_name_one_row_a_code_filled_messages_and_one_set_of_elements() {
        let mut check = Check(Vec::new());
        visit(&mut check);
        assert_eq!(check.0.iter().collect::<BTreeSet<_>>().len(), check.0.len(), "{:?}", check.0);
    }
}
