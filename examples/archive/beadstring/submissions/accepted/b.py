class Solution:
    def reverse(self, text):
        return "".join(reversed(text))
