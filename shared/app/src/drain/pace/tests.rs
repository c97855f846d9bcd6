use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake},
};

use domain::failure::{CallEffect, ErrorClass};
use futures::FutureExt;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn down() -> Failure {
    Failure::new(ErrorClass::Unavailable, CallEffect::NotApplied, None, "503")
}

/// As many permits as are to be had.
fn all(pace: &Pace) -> Vec<Permit<'_>> {
    std::iter::from_fn(|| pace.permit().now_or_never()).collect()
}

/// One round of calls, all of which end alike; how many there were.
fn round(pace: &Pace, failure: Option<&Failure>) -> usize {
    let permits = all(pace);
    let count = permits.len();
    permits.into_iter().for_each(|permit| permit.ended(failure, NOW));
    count
}

fn rounds(pace: &Pace, count: u32, failure: Option<&Failure>) {
    for _ in 0..count {
        round(pace, failure);
    }
}

#[test]
fn an_app_that_came_back_gets_one_call_then_twice_as_many_with_every_round_up_to_the_most() {
    let pace = Pace::default();
    let rounds: Vec<_> = (0..8).map(|_| round(&pace, None)).collect();
    assert_eq!(rounds, [1, 2, 4, 8, 16, 32, 50, 50]);
}

#[test]
fn a_strain_halves_once_for_all_calls_of_a_round_and_then_it_grows_by_one() {
    let pace = Pace::default();
    rounds(&pace, 4, None);
    assert_eq!(round(&pace, Some(&down())), 16);
    assert_eq!([round(&pace, None), round(&pace, None), round(&pace, None)], [8, 9, 10]);
}

#[test]
fn a_refusal_is_no_strain() {
    let pace = Pace::default();
    let refused = Failure::new(ErrorClass::Application, CallEffect::Refused, None, "no such currency");
    assert_eq!([round(&pace, Some(&refused)), round(&pace, Some(&refused))], [1, 2]);
}

#[test]
fn after_ten_strained_rounds_in_a_row_the_app_is_left_alone_and_one_success_forgets_them() {
    let pace = Pace::default();
    rounds(&pace, 9, Some(&down()));
    assert!(!pace.gives_up(NOW));
    round(&pace, None);
    rounds(&pace, 9, Some(&down()));
    assert!(!pace.gives_up(NOW), "the success began a new row");
    rounds(&pace, 9, Some(&down()));
    assert!(pace.gives_up(NOW));
}

#[test]
fn retry_after_is_waited_out_or_ends_the_run() {
    let pace = Pace::default();
    round(&pace, Some(&Failure { retry_after_ms: Some(5_000), ..down() }));
    assert_eq!((pace.not_before(), pace.gives_up(NOW)), (NOW.plus_ms(5_000), false));
    round(&pace, Some(&Failure { retry_after_ms: Some(600_000), ..down() }));
    assert!(pace.gives_up(NOW));
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_place_that_is_given_back_wakes_who_waits_for_it() {
    let pace = Pace::default();
    let held = all(&pace);
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut waits = std::pin::pin!(pace.permit());
    assert!(waits.as_mut().poll(&mut cx).is_pending() && !woken.0.load(Ordering::SeqCst));
    drop(held);
    assert!(woken.0.load(Ordering::SeqCst) && waits.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn failures_of_single_records_are_no_strain_but_keep_it_careful_until_one_succeeds() {
    let pace = Pace::default();
    let own = Failure::new(ErrorClass::OtherHttp, CallEffect::Unknown, Some("500".to_owned()), "no");
    let rounds_with_it: Vec<_> = (0..5).map(|_| round(&pace, Some(&own))).collect();
    assert_eq!(rounds_with_it, [1, 2, 4, 8, 8]);
    assert!(!pace.gives_up(NOW));
    round(&pace, None);
    assert_eq!(round(&pace, None), 16);
    rounds(&pace, 200, Some(&own));
    assert!(pace.gives_up(NOW), "a thousand in a row: it is the app");
}

#[test]
fn failures_of_single_records_among_others_that_succeed_do_not_slow_the_run() {
    let pace = Pace::default();
    let own = Failure::new(ErrorClass::OtherHttp, CallEffect::Unknown, Some("500".to_owned()), "no");
    for _ in 0..100 {
        for (n, permit) in all(&pace).into_iter().enumerate() {
            permit.ended((n % 2 == 0).then_some(&own), NOW);
        }
    }
    assert_eq!(all(&pace).len(), MAX_AT_ONCE);
}
