//! The vendor's regions.

/// The regions of the vendor's published list (decision `regions`), sorted.
const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "cn-beijing",
    "cn-beijing-finance-1",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-hangzhou-finance",
    "cn-heyuan",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-north-2-gov-1",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "cn-zhengzhou-jva",
    "eu-central-1",
    "eu-west-1",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-west-1",
];

/// Whether the vendor has a region of this id. Letter case counts.
#[must_use]
pub fn is_known_region(region_id: &str) -> bool {
    REGIONS.binary_search(&region_id).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_every_region_is_found() {
        assert!(REGIONS.is_sorted());
        assert!(REGIONS.iter().all(|region| is_known_region(region)));
    }

    #[test]
    fn a_region_that_is_not_listed_is_unknown() {
        for region in ["", "cn-nowhere", "CN-HANGZHOU", "cn-hangzhou "] {
            assert!(!is_known_region(region), "{region:?}");
        }
    }
}
