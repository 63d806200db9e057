class Solution:
    def clear_upsets(self, points, margin):
        def solve(part):
            if len(part) < 2:
                return part, 0
            middle = len(part) // 2
            left, inside_left = solve(part[:middle])
            right, inside_right = solve(part[middle:])
            upsets, beaten = inside_left + inside_right, 0
            for score in right:
                while beaten < len(left) and left[beaten] < score - margin:
                    beaten += 1
                upsets += beaten
            return sorted(left + right), upsets

        return solve(points)[1]
