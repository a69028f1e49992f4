//! The tests of a room's fuzz targets: their bodies on what was kept of earlier runs, on damaged seeds and on random bytes.
//! A macro, for proptest is at hand only where tests are compiled.

/// Makes the tests of fuzz targets, given by their bodies, which are called as the targets are. It is used in the module of
/// tests below the one with the bodies and `seeds`; the caller's tests need `proptest`.
#[doc(hidden)]
#[macro_export]
macro_rules! fuzz_tests {
    ($($target:ident),+ $(,)?) => {
        use proptest::collection::vec;
        use proptest::prelude::*;

        type Body = fn(&[u8]);

        const TARGETS: &[(&str, Body)] = &[$((stringify!($target), super::$target)),+];

        fn run(target: &str, bytes: &[u8]) {
            let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
            body(bytes);
        }

        #[test]
        fn what_was_kept_of_earlier_runs() {
            for (target, body) in TARGETS {
                let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
                let inputs: Vec<_> =
                    std::fs::read_dir(&dir).unwrap().map(|input| input.unwrap().path()).collect();
                assert!(!inputs.is_empty(), "{target} has no inputs");
                inputs.iter().for_each(|input| body(&std::fs::read(input).unwrap()));
            }
        }

        #[test]
        fn every_seed() {
            super::seeds().iter().for_each(|(target, seed)| run(target, seed));
        }

        proptest! {
            #[test]
            fn random_bytes(target in 0..TARGETS.len(), bytes in vec(any::<u8>(), 0..400)) {
                TARGETS[target].1(&bytes);
            }

            #[test]
            fn damaged_seeds(
                (target, seed) in prop::sample::select(super::seeds()),
                damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
                tail in vec(any::<u8>(), 0..80),
            ) {
                let mut bytes = seed;
                bytes.extend_from_slice(&tail);
                for (at, value) in damage {
                    if !bytes.is_empty() {
                        let at = at.index(bytes.len());
                        bytes[at] = value;
                    }
                }
                run(target, &bytes);
            }

            #[test]
            fn seeds_cut_off(
                (target, seed) in prop::sample::select(super::seeds()),
                at in any::<prop::sample::Index>(),
            ) {
                run(target, &seed[..at.index(seed.len() + 1)]);
            }
        }
    };
}
