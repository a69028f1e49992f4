use std::time::Duration;

use tokio::time::timeout;

use super::*;

const KIB: usize = 1024;

async fn granted(budget: &Budget, reservation: &mut Reservation, capacity: usize, frame: usize) -> bool {
    timeout(Duration::from_millis(1), budget.reserve(reservation, capacity, frame)).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn small_buffers_are_free_whatever_the_others_hold() {
    let budget = Budget::new(1024 * KIB);
    let mut holders: Vec<Reservation> = Vec::new();
    for _ in 0..4 {
        let mut holder = Reservation::default();
        assert!(granted(&budget, &mut holder, 256 * KIB + FREE_BYTES, 256 * KIB).await);
        holders.push(holder);
    }
    let mut late = Reservation::default();
    assert!(!granted(&budget, &mut late, FREE_BYTES + 1, 100 * KIB).await, "all is used up");
    assert!(granted(&budget, &mut late, FREE_BYTES, 100 * KIB).await);
    assert!(late.is_empty());
    holders.pop();
    assert!(granted(&budget, &mut late, 200 * KIB, 200 * KIB).await);
}

#[tokio::test(start_paused = true)]
async fn growing_pays_only_the_difference() {
    let budget = Budget::new(1024 * KIB);
    let mut reservation = Reservation::default();
    for capacity in [64 * KIB, 128 * KIB, 256 * KIB] {
        assert!(granted(&budget, &mut reservation, capacity, 256 * KIB).await);
    }
    assert_eq!(budget.shared.available_permits() * UNIT_BYTES, 1024 * KIB - (256 * KIB - FREE_BYTES));
    drop(reservation);
    assert_eq!(budget.shared.available_permits() * UNIT_BYTES, 1024 * KIB);
}

#[tokio::test(start_paused = true)]
async fn large_frames_take_turns_beside_the_budget() {
    let budget = Budget::new(1024 * KIB);
    let (mut first, mut second, mut small) = Default::default();
    assert!(granted(&budget, &mut first, 64 * KIB, 100 << 20).await);
    assert!(granted(&budget, &mut first, 100 << 20, 100 << 20).await);
    assert!(first.is_large());
    assert!(!granted(&budget, &mut second, 64 * KIB, 100 << 20).await);
    assert!(granted(&budget, &mut small, 256 * KIB, 256 * KIB).await, "the others are not held up");
    drop(first);
    assert!(granted(&budget, &mut second, 64 * KIB, 100 << 20).await);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_counted_until_he_gives_up() {
    let budget = Budget::new(1024 * KIB);
    let (mut first, mut second) = (Reservation::default(), Reservation::default());
    budget.reserve(&mut first, 64 * KIB, 100 << 20).await;
    assert!(!budget.is_contended());
    {
        let waiting = budget.reserve(&mut second, 64 * KIB, 100 << 20);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        assert!(budget.is_contended());
    }
    assert!(!budget.is_contended());
}

/// A response that turned out smaller than feared must not keep others waiting until it is sent.
#[tokio::test(start_paused = true)]
async fn what_is_not_needed_is_given_back() {
    let budget = Budget::new(1024 * KIB);
    let available = |budget: &Budget| budget.shared.available_permits() * UNIT_BYTES;
    let mut reservation = Reservation::default();
    assert!(granted(&budget, &mut reservation, 256 * KIB, 256 * KIB).await);
    reservation.shrink(512 * KIB);
    assert_eq!(available(&budget), 1024 * KIB - (256 * KIB - FREE_BYTES), "it does not grow");
    reservation.shrink(100 * KIB);
    assert_eq!(available(&budget), 1024 * KIB - (100 * KIB - FREE_BYTES));
    reservation.shrink(FREE_BYTES);
    assert!(reservation.is_empty());
    assert_eq!(available(&budget), 1024 * KIB);

    assert!(granted(&budget, &mut reservation, 1 << 20, 1 << 20).await);
    reservation.shrink(100 * KIB);
    assert!(reservation.is_large(), "a turn cannot be divided");
    reservation.shrink(0);
    assert!(reservation.is_empty());
}
