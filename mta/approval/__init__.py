"""发信审批: whose mail needs somebody's agreement, asking for it, deciding, and what the clock decides."""
