for _ in range(int(input())):
    a, b = map(int, input().split())
    moved = 1
    while moved % a != 0 or moved % b != 0:
        moved += 1
    print(moved // a, moved // b)
