//! SMS over SMPP and over the HTTP gateways that Vietnamese agencies use.
