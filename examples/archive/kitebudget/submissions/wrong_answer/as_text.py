class Solution:
    def add(self, a, b):
        return str(a) + str(b)
