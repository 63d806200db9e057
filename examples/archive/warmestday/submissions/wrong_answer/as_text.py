class Solution:
    def largest(self, values):
        return max(values, key=str)
