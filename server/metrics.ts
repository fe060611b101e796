import client from 'prom-client'
import type pg from 'pg'
import type { Gate } from '@laurel/engine/gate/gate'

/** What runs and how, for Prometheus. Seconds and counts; no label ever holds what a client sent. */
export type Metrics = {
  observe(operation: string, status: number, seconds: number): void
  text(): Promise<string>
  readonly contentType: string
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(pool: pg.Pool, gate: Gate): Metrics {
  const registry = new client.Registry()
  const registers = [registry]
  client.collectDefaultMetrics({ register: registry })
  const requests = new client.Counter({
    name: 'laurel_requests_total',
    help: 'Requests by operation and status',
    labelNames: ['operation', 'status'],
    registers,
  })
  const duration = new client.Histogram({
    name: 'laurel_request_seconds',
    help: 'From the first byte read to the answer written',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new client.Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('laurel_gate_waiting', 'Asks that wait or are under way', () => gate.stats().waiting)
  gauge('laurel_gate_lists_in_flight', 'Lists under way', () => gate.stats().inFlight)
  gauge('laurel_gate_lists_total', 'Lists so far', () => gate.stats().lists)
  gauge('laurel_gate_asks_total', 'Asks decided in lists so far', () => gate.stats().asks)
  gauge('laurel_gate_list_largest', 'The longest list so far', () => gate.stats().largest)
  gauge('laurel_pool_connections', 'Connections to the database', () => pool.totalCount)
  gauge('laurel_pool_idle', 'Connections that nobody uses', () => pool.idleCount)
  gauge('laurel_pool_waiting', 'Who waits for a connection', () => pool.waitingCount)

  // Children are kept, since finding one by its labels costs more than counting.
  const counters = new Map<string, client.Counter.Internal>()
  const histograms = new Map<string, client.Histogram.Internal<'operation'>>()
  return {
    observe(operation, status, seconds) {
      const name = `${operation} ${status}`
      let counter = counters.get(name)
      if (!counter) counters.set(name, (counter = requests.labels({ operation, status: String(status) })))
      let histogram = histograms.get(operation)
      if (!histogram) histograms.set(operation, (histogram = duration.labels({ operation })))
      counter.inc()
      histogram.observe(seconds)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
