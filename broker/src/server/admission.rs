//! Who may connect: at most `max_connections` clients, at most `max_connections_per_ip` from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

/// Why a connection is closed as soon as it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refused {
    /// There are as many as there may be.
    #[error("max_connections are open")]
    Full,
    /// There are as many from this address as there may be.
    #[error("max_connections_per_ip are open from this address")]
    FullForAddress,
}

/// The open connections, counted by address.
#[derive(Debug, Default, Clone)]
pub(crate) struct Admission {
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection; it no longer counts when this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    open: Arc<Mutex<Open>>,
    address: IpAddr,
}

impl Admission {
    /// Counts a connection from `address` if the limits allow one more.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        max: usize,
        max_per_address: usize,
    ) -> Result<Admitted, Refused> {
        let address = address.to_canonical();
        let mut open = self.open.lock();
        if open.total >= max {
            return Err(Refused::Full);
        }
        let from_address = open.by_address.entry(address).or_default();
        if *from_address >= max_per_address {
            return Err(Refused::FullForAddress);
        }
        *from_address += 1;
        open.total += 1;
        Ok(Admitted { open: self.open.clone(), address })
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.open.lock().total
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn refuses_beyond_the_limit_of_all_and_of_one_address() {
        let admission = Admission::default();
        let first = admission.admit(A, 3, 2).unwrap();
        let second = admission.admit(A, 3, 2).unwrap();
        assert_eq!(admission.admit(A, 3, 2).unwrap_err(), Refused::FullForAddress);
        let third = admission.admit(B, 3, 2).unwrap();
        assert_eq!(admission.admit(B, 3, 2).unwrap_err(), Refused::Full);
        drop(first);
        assert_eq!(admission.open(), 2);
        drop(admission.admit(A, 3, 2).unwrap());
        drop((second, third));
        assert!(admission.open.lock().by_address.is_empty(), "nothing is kept of those who left");
    }

    #[test]
    fn an_ipv4_client_counts_as_itself_on_an_ipv6_socket() {
        let admission = Admission::default();
        let _held = admission.admit(A, 9, 1).unwrap();
        let mapped = IpAddr::V6(std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        assert_eq!(admission.admit(mapped, 9, 1).unwrap_err(), Refused::FullForAddress);
    }
}
