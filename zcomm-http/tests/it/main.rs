//! The client against real sockets.

// `cfg(test)` tells the lints that helpers beside the tests may unwrap, too.

#[cfg(test)]
mod basics;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod races;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod server;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod ways;
