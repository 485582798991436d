"""The pages of recovery plans and exercises."""
