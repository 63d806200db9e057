class Solution:
    def count_even(self, values):
        return sum(v for v in values if v % 2 == 0)
