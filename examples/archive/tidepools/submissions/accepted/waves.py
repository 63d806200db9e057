import sys


def main():
    height, breadth, *rows = sys.stdin.read().split()
    height, breadth = int(height), int(breadth)
    board = [list(row) for row in rows]
    wave = [(r, c) for r in range(height) for c in range(breadth) if board[r][c] == "~"]
    dry = sum(row.count(".") for row in board)
    minutes = 0
    while dry and wave:
        minutes += 1
        following = []
        for r, c in wave:
            for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if 0 <= y < height and 0 <= x < breadth and board[y][x] == ".":
                    board[y][x] = "~"
                    following.append((y, x))
        dry -= len(following)
        wave = following
    print("never" if dry else minutes)


main()
