import cProfile
import pstats

from steps import count, three_moments

profile = cProfile.Profile()


def square(number):
    return number * number


def squares():
    return sum(square(number) for number in range(500)) + count(100)


profile.enable()
three_moments(squares)
profile.disable()
stats = pstats.Stats(profile).stats
print([calls for (_, _, name), (calls, *_) in stats.items() if name == "square"])
