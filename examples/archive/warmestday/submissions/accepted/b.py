class Solution:
    def largest(self, values):
        return sorted(values)[-1]
