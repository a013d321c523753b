-- the number of what was given up.
redis.call('DEL', key('given-up', ARGV[3]))
redis.call('ZREM', GIVEN_UP, ARGV[3])
