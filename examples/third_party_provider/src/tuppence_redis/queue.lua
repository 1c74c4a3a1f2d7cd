-- The queue's steps, each of which happens at once. ARGV begins with the step's name and the time now.
--
--   messages  hash  id -> lane and body
--   sent      zset  id by the time it was sent
--   due       zset  id by the time it may be delivered, again or for the first time
--   attempts  hash  id -> how often it was delivered
--   leases    hash  id -> the receipt of its last delivery; none once it is given back
--
-- Times are microseconds since 1970 and stay text, since Lua would write such numbers with 14 digits.

local messages, sent, due, attempts, leases = unpack(KEYS)
local now = ARGV[2]
local step = {}

-- Whether a delivery still has its lease.
local function held(id, receipt)
  return redis.call('HGET', leases, id) == receipt
    and tonumber(redis.call('ZSCORE', due, id)) > tonumber(now)
end

-- Do `settle` to each delivery from ARGV[first] on, an id and a receipt, and return those it is false for.
local function each(first, settle)
  local lost = {}
  for i = first, #ARGV, 2 do
    if not settle(ARGV[i], ARGV[i + 1]) then
      table.insert(lost, (i - first) / 2)
    end
  end
  return lost
end

-- id, lane, body ...
function step.send()
  for i = 3, #ARGV, 3 do
    local id, lane, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if redis.call('HSETNX', messages, id, cmsgpack.pack({lane, body})) == 1 then
      redis.call('ZADD', sent, now, id)
      redis.call('ZADD', due, now, id)
    end
  end
end

-- expires, receipt, most
function step.receive()
  local expires, receipt, most = ARGV[3], ARGV[4], ARGV[5]
  local found = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
    -- This comes first: a server without memory refuses what may need some, unless a script has written
    -- before; and only what is received can be acknowledged and leave.
    redis.call('HDEL', leases, id)
    redis.call('HSET', leases, id, receipt)
    redis.call('ZADD', due, expires, id)
    local attempt = redis.call('HINCRBY', attempts, id, 1)
    local lane, body = unpack(cmsgpack.unpack(redis.call('HGET', messages, id)))
    table.insert(found, {id, lane, body, attempt})
  end
  return found
end

-- expires, then id, receipt ...
function step.extend()
  local expires = ARGV[3]
  return each(4, function(id, receipt)
    return held(id, receipt) and redis.call('ZADD', due, expires, id)
  end)
end

-- id, receipt ...; also after the lease ran out, as long as no one else was given the message
function step.ack()
  return each(3, function(id, receipt)
    if redis.call('HGET', leases, id) == receipt then
      redis.call('ZREM', sent, id)
      redis.call('ZREM', due, id)
      for _, hash in ipairs({messages, attempts, leases}) do
        redis.call('HDEL', hash, id)
      end
    end
    return redis.call('HEXISTS', messages, id) == 0
  end)
end

-- when it is due, then id, receipt ...
function step.nack()
  local again = ARGV[3]
  return each(4, function(id, receipt)
    return held(id, receipt) and redis.call('HDEL', leases, id) and redis.call('ZADD', due, again, id)
  end)
end

-- How many messages there are, and when the oldest was sent.
function step.depth()
  return {redis.call('HLEN', messages), redis.call('ZRANGE', sent, 0, 0, 'WITHSCORES')[2]}
end

return step[ARGV[1]]()
