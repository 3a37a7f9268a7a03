//! Finds cases that demand a code other than the one of the checking order and the errors' conditions.

use super::Problems;
use crate::case::{Case, Style};
use crate::contract::Contract;
use crate::fuzz::{CASES_SECS, Call, Expected, Model, State};
use crate::judge::Rulebook;
use crate::operations::COMMON;

/// Checks the cases of a single call that the operation alone decides. The checks before the operation and
/// the effects of earlier calls are not in these two files.
pub(super) fn check(contract: &Contract, cases: &[Case], problems: &mut Problems) {
    let model = Rulebook::read(contract).and_then(Model::of);
    // Another check reports the problem that prevents the model.
    let Ok(model) = model else { return };
    for case in cases {
        let Some(operation) = model.rules.operations.get(&case.action) else { continue };
        let demanded = case.demanded.code.as_deref();
        let is_own = |code: &str| operation.error(code).is_some();
        let is_simple = case.folder() != COMMON
            && case.before.is_empty()
            && case.fault.is_none()
            && case.throttling.is_none()
            && case.request.common.is_empty()
            && case.request.after_signing.is_empty();
        if !is_simple || !demanded.is_none_or(is_own) {
            continue;
        }
        let call = Call::of(&case.request, Style::V1, "JSON");
        let found = State::of(&model, case.world.clone(), CASES_SECS).find(&call);
        let found = match &found.expected {
            Expected::Refused { code, .. } if !is_own(code) => continue,
            Expected::Refused { code, .. } => Some(code.as_str()),
            Expected::Success(_) | Expected::Replay(..) => None,
        };
        if found != demanded {
            let name = |code: Option<&str>| code.unwrap_or("a success").to_owned();
            let what = format!(
                "{} is demanded; checkingOrder and the conditions of errors.json lead to {}",
                name(demanded),
                name(found)
            );
            problems.inconsistent(&case.path, "/answer", what);
        }
    }
}
