//! permessage-deflate (RFC 7692): what both ends agree on, and messages made smaller and whole again. Sends nothing.

mod agreement;
#[cfg_attr(not(feature = "compression"), path = "no_codec.rs")]
mod codec;
mod deflater;
mod inflater;
#[cfg(feature = "compression")]
mod pool;

#[cfg(feature = "compression")]
pub use agreement::DeflateConfig;
pub use agreement::DeflateParams;
pub use deflater::Deflater;
#[cfg(feature = "compression")]
pub use deflater::deflate_once;
#[cfg(feature = "server")]
pub(crate) use deflater::frame_once;
pub use inflater::Inflater;

/// The smallest message that is compressed, unless somebody says otherwise: below it there is little to gain.
const THRESHOLD: usize = 256;

#[cfg(all(test, feature = "compression"))]
mod tests;
