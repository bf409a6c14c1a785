/** Minimum cuts by augmenting paths. Edmonds & Karp 1972 (https://doi.org/10.1145/321694.321699). */

/** A flow network that grows; vertex 0 is the source and vertex 1 the sink. */
export class FlowNetwork {
  static readonly source = 0;
  static readonly sink = 1;
  #vertices = 2;
  /** Edges come in pairs: edge e and, against it, e ^ 1. */
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  readonly #edges: number[][] = [[], []];

  addVertex(): number {
    this.#edges.push([]);
    this.#vertices += 1;
    return this.#vertices - 1;
  }

  addEdge(from: number, to: number, capacity: number): void {
    this.#half(from, to, capacity);
    this.#half(to, from, 0);
  }

  /** The sink's side of the minimum cut that lies nearest to the sink. */
  cutNearSink(): ReadonlySet<number> {
    for (let path = this.#shortestPath(); path; path = this.#shortestPath()) {
      const flow = Math.min(...path.map((edge) => this.#capacity[edge] as number));
      for (const edge of path) {
        this.#capacity[edge] = (this.#capacity[edge] as number) - flow;
        this.#capacity[edge ^ 1] = (this.#capacity[edge ^ 1] as number) + flow;
      }
    }
    const side = new Set([FlowNetwork.sink]);
    for (const vertex of side) {
      for (const edge of this.#edges[vertex] ?? []) {
        if ((this.#capacity[edge ^ 1] as number) > 0) side.add(this.#to[edge] as number);
      }
    }
    return side;
  }

  #half(from: number, to: number, capacity: number): void {
    this.#edges[from]?.push(this.#to.length);
    this.#to.push(to);
    this.#capacity.push(capacity);
  }

  /** Edges from source to sink with capacity left, fewest first. */
  #shortestPath(): number[] | undefined {
    const reachedBy = new Map<number, number>([[FlowNetwork.source, -1]]);
    for (const [vertex] of reachedBy) {
      if (vertex === FlowNetwork.sink) break;
      for (const edge of this.#edges[vertex] ?? []) {
        const next = this.#to[edge] as number;
        if ((this.#capacity[edge] as number) > 0 && !reachedBy.has(next)) reachedBy.set(next, edge);
      }
    }
    if (!reachedBy.has(FlowNetwork.sink)) return undefined;
    const path: number[] = [];
    for (let vertex: number = FlowNetwork.sink; vertex !== FlowNetwork.source; ) {
      const edge = reachedBy.get(vertex) as number;
      path.push(edge);
      vertex = this.#to[edge ^ 1] as number;
    }
    return path;
  }
}
