//! A call that is dropped at any point: nothing is stuck, and nothing is bought twice (decision
//! `token`).

use ::store::Store;
use tokio::select;

use crate::support::{
    ALREADY_EXISTED, Clients, Outcome, allocate_under, bandwidth_of, event, fill, refused, sign,
};
use crate::trouble::{Scene, Trouble, points};
use crate::worlds::addresses;

pub async fn a_purchase_has_the_counted_points<S: Store + 'static>(clients: Clients<S>) {
    fill(&*clients[0], &addresses(1..=2)).await;
    for (key_is_known, address) in [(false, "ipv6-1"), (true, "ipv6-2")] {
        let scene = Scene::new(&clients[0], key_is_known).await;
        let got = scene.call(&allocate_under(address, address)).await;
        assert_eq!(got, Outcome::Bought(scene.store.bought().concat()));
        assert_eq!(scene.store.passed(), points(key_is_known), "known: {key_is_known}");
    }
}

/// Makes a call that is dropped at the point of this number.
async fn interrupt<S: Store>(scene: &Scene<S>, number: usize, token: &str, address: &str) {
    scene.store.plan(Some((number, Trouble::Stop)));
    let wire = sign(&allocate_under(token, address), scene.time.now_secs());
    select! {
        biased;
        response = scene.function.handle(event(&wire)) => panic!("not interrupted: {response:?}"),
        () = scene.store.interrupted() => {}
    }
    assert!(scene.store.passed() >= number);
    scene.store.plan(None);
}

/// Each point at which a call can be dropped: whether the key is known, the number of the point,
/// and an address for it.
fn places() -> Vec<(bool, usize, String)> {
    let each = |key_is_known| (1..=points(key_is_known)).map(move |number| (key_is_known, number));
    let all = each(false).chain(each(true)).enumerate();
    all.map(|(position, (known, number))| (known, number, format!("ipv6-{}", position + 1)))
        .collect()
}

pub async fn after_an_interruption_the_token_finishes_or_repeats_the_purchase<
    S: Store + 'static,
>(
    clients: Clients<S>,
) {
    let all = places();
    fill(&*clients[0], &addresses(1..=all.len())).await;
    for (key_is_known, number, address) in all {
        let scene = Scene::new(&clients[0], key_is_known).await;
        let token = format!("token-{address}");
        interrupt(&scene, number, &token, &address).await;
        let got = scene.call(&allocate_under(&token, &address)).await;
        let [bought] = &scene.store.bought()[..] else {
            panic!("point {number} of a key {key_is_known}: {:?}", scene.store.bought())
        };
        assert_eq!(got, Outcome::Bought(bought.clone()), "point {number}, {key_is_known}");
        let held = bandwidth_of(&*clients[1], &address).await;
        assert_eq!(held.as_ref(), Some(bought), "point {number}, {key_is_known}");
    }
}

pub async fn after_an_interruption_another_token_buys_only_if_nothing_was_bought<
    S: Store + 'static,
>(
    clients: Clients<S>,
) {
    let all = places();
    fill(&*clients[0], &addresses(1..=all.len())).await;
    let mut after_purchase = 0;
    for (key_is_known, number, address) in all {
        let scene = Scene::new(&clients[0], key_is_known).await;
        interrupt(&scene, number, &format!("token-{address}"), &address).await;
        let before = scene.store.bought();
        // All clients see the effect of a dropped call, or none does.
        assert_eq!(bandwidth_of(&*clients[1], &address).await.as_ref(), before.first());
        let got = scene.call(&allocate_under(&format!("another-{address}"), &address)).await;
        let bought = scene.store.bought();
        assert_eq!(bought.len(), 1, "point {number}, {key_is_known}: {bought:?}");
        if before.is_empty() {
            assert_eq!(got, Outcome::Bought(bought[0].clone()), "point {number}");
        } else {
            after_purchase += 1;
            assert_eq!(got, refused(ALREADY_EXISTED), "point {number}");
        }
        assert_eq!(bandwidth_of(&*clients[1], &address).await.as_ref(), bought.first());
    }
    // The last point of either kind of call, and no other, is after the purchase.
    assert_eq!(after_purchase, 2);
}
