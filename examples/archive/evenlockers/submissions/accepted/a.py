class Solution:
    def count_even(self, values):
        return sum(1 for v in values if v % 2 == 0)
