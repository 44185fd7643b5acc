//! Shared set-up of the integration tests: services, folders, clients.
