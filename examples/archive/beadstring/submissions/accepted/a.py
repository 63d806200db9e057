class Solution:
    def reverse(self, text):
        return text[::-1]
