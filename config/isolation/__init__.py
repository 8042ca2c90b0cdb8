"""The isolation prover: canary tenants, and a walk that no mark of one may survive."""
