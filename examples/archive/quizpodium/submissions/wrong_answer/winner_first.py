teams = []
for _ in range(int(input())):
    name, points, minutes = input().split()
    teams.append((-int(points), int(minutes), name))
teams.sort()
for _, _, name in teams[:3]:
    print(name)
