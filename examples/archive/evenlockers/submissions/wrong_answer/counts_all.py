class Solution:
    def count_even(self, values):
        return len(values)
