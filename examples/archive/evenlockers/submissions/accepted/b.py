class Solution:
    def count_even(self, values):
        return len([v for v in values if not v % 2])
