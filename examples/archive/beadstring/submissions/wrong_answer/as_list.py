class Solution:
    def reverse(self, text):
        return list(reversed(text))
