//! Descriptors, as the table of slots knows them.

pub(in crate::sys) use std::os::fd::AsFd as AsDescriptor;
use std::os::fd::AsRawFd;

pub(in crate::sys) fn number(descriptor: &impl AsDescriptor) -> u64 {
    descriptor.as_fd().as_raw_fd() as u64
}
