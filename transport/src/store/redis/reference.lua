-- ttl.
local reference = redis.call('INCR', key('reference'))
keep(ARGV[3], key('reference'))
return reference % 65536
