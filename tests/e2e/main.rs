//! The deployed bundle on the emulator, with both apps.
