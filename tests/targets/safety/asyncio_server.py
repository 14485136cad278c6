import asyncio
import os
import stat
import sys

from steps import open_numbers, three_moments

loops = asyncio.new_event_loop()
if len(sys.argv) > 1:
    import uvloop

    loops.close()
    loops = uvloop.new_event_loop()


async def answer(reader, writer):
    writer.write((await reader.read(100)).upper())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    answered.put_nowait(None)


async def ask(address, number):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello %d" % number)
    said = (await reader.read(100)).decode()
    writer.close()
    await writer.wait_closed()
    return said


async def ask_all(address):
    before = number_of_sockets()
    said = await asyncio.gather(*[ask(address, number) for number in range(20)])
    for _ in said:
        await answered.get()
    while number_of_sockets() > before:  # the loop closes its sockets some turns later
        await asyncio.sleep(0.001)
    return said


def number_of_sockets():
    return sum(stat.S_ISSOCK(os.fstat(number).st_mode) for number in open_numbers())


async def child():
    process = await asyncio.create_subprocess_exec(
        "echo", "of a child", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


asyncio.set_event_loop(loops)
answered = asyncio.Queue()
server = loops.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
address = server.sockets[0].getsockname()
three_moments(
    lambda: [loops.run_until_complete(ask_all(address)), loops.run_until_complete(child())],
    meanwhile=lambda: loops.run_until_complete(asyncio.sleep(0.005)),
)
server.close()
loops.run_until_complete(server.wait_closed())
loops.close()
