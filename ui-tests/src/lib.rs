//! Diagnostics of the derives, as the user sees them.
